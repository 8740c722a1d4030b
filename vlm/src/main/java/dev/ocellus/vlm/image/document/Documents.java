package dev.ocellus.vlm.image.document;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Opens files of pages: PDF, TIFF, and any image as a document of one page.
 *
 * <pre>{@code
 * try (Document pdf = Documents.open(Path.of("letter.pdf"), DocumentOptions.defaults())) {
 *   RgbImage first = pdf.page(1);
 * }
 * }</pre>
 */
public final class Documents {
  private static final int HEAD = 1024;

  private Documents() {}

  /**
   * Opens a file.
   *
   * @throws IOException if it cannot be read
   * @throws ImageFormatException if it is no document or image, damaged, encrypted or too large
   */
  public static Document open(Path file, DocumentOptions options) throws IOException {
    return open(ImageDecoder.bytes(file, options.limits()), file.toString(), options);
  }

  /**
   * Opens the bytes of a file.
   *
   * @param source what messages call it
   * @throws ImageFormatException if it is no document or image, damaged, encrypted or too large
   */
  public static Document open(byte[] file, String source, DocumentOptions options) {
    guarded(
        source,
        () -> {
          options.limits().checkBytes(file.length);
          return true;
        });
    byte[] head = Arrays.copyOf(file, Math.min(file.length, HEAD));
    Optional<DocumentReader> reader = reader(head);
    if (reader.isPresent()) {
      return new Named(guarded(source, () -> reader.get().open(file, options)), source);
    }
    if (isPdf(head)) {
      throw ImageFormatException.unsupported(
          source
              + ": this is a PDF document, and the module dev.ocellus.pdf, which draws its pages, is not there; add it to the program, or render the pages to PNG first");
    }
    int n = ImageDecoder.count(file, source, options.limits());
    return new Images(file, source, options.limits(), n);
  }

  private static Optional<DocumentReader> reader(byte[] head) {
    return ServiceLoader.load(DocumentReader.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(r -> r.reads(head))
        .findFirst();
  }

  /** Whether a file is a PDF document by its first bytes. */
  public static boolean isPdf(byte[] head) {
    return new String(head, 0, Math.min(head.length, HEAD), StandardCharsets.ISO_8859_1)
        .contains("%PDF-");
  }

  private interface Work<T> {
    T run();
  }

  /** Readers are other people's code, and files are hostile: all failures become one type. */
  private static <T> T guarded(String source, Work<T> work) {
    try {
      return work.run();
    } catch (ImageFormatException e) {
      throw e.in(source);
    } catch (OutOfMemoryError e) {
      throw new ImageFormatException(
          Kind.TOO_LARGE,
          source
              + ": not enough Java heap for this document; raise -Xmx or use fewer dots per inch",
          e);
    } catch (IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError | InternalError e) {
      String detail = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new ImageFormatException(
          Kind.CORRUPT, source + ": the document is corrupt (" + detail + ")", e);
    }
  }

  /** A document whose errors have its name. */
  private record Named(Document document, String source) implements Document {
    @Override
    public int nPages() {
      return document.nPages();
    }

    @Override
    public RgbImage page(int number) {
      requirePage(number, nPages());
      return guarded(source + ", page " + number, () -> document.page(number));
    }

    @Override
    public void close() {
      document.close();
    }
  }

  /** The images of a file. */
  private record Images(byte[] file, String source, ImageLimits limits, int nPages)
      implements Document {
    @Override
    public RgbImage page(int number) {
      requirePage(number, nPages);
      String name = nPages == 1 ? source : source + ", page " + number;
      return ImageDecoder.decode(file, number - 1, name, limits);
    }

    @Override
    public void close() {} // it holds bytes only
  }

  private static void requirePage(int number, int nPages) {
    if (number < 1 || number > nPages) {
      throw new IllegalArgumentException(
          "page: expected 1 to %d, found %d".formatted(nPages, number));
    }
  }
}
