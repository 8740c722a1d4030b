package dev.ocellus.cli.chat;

import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.image.document.Documents;
import dev.ocellus.vlm.image.document.PageRange;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Pages of PDF documents and of TIFF files, each of which is an image. */
final class PagesMixin {
  /** Kept here, as a logger that nobody holds forgets its level. */
  private static final Logger PDFBOX = Logger.getLogger("org.apache.pdfbox");

  private static final Logger FONTBOX = Logger.getLogger("org.apache.fontbox");

  @Option(
      names = "--pages",
      paramLabel = "RANGE",
      description = "Of PDF and TIFF files: these pages, such as 1-3,7,10-. Default: all.")
  @Nullable String pages;

  @Option(
      names = "--dpi",
      paramLabel = "N",
      description = "Of PDF files: dots per inch at which pages are drawn. Default: 200.")
  @Range(min = 18, max = 1200)
  @Nullable Integer dpi;

  @Option(
      names = "--pdf-password",
      paramLabel = "TEXT",
      description = "Password of an encrypted PDF file.")
  @Nullable String password;

  /** Checks the options, before a model is loaded for nothing. */
  DocumentOptions options() {
    var unused = range();
    DocumentOptions options = DocumentOptions.defaults();
    options = dpi == null ? options : options.withDpi(dpi);
    return password == null ? options : options.withPassword(password);
  }

  PageRange range() {
    return pages == null ? PageRange.ALL : new PageRange(pages);
  }

  /**
   * The pages of files in their stead; a file that cannot be opened stays, and fails when it is
   * read.
   */
  List<ImageSource> expand(OcellusCommand command, List<ImageSource> sources) throws IOException {
    DocumentOptions options = command.checked(this::options);
    List<ImageSource> all = new ArrayList<>();
    for (ImageSource source : sources) {
      try {
        all.addAll(pages(command.io(), source, options));
      } catch (IOException | OcellusException e) {
        if (sources.size() == 1) {
          throw e;
        }
        all.add(new ImageSource(source.name(), new Unreadable(e), 1));
      }
    }
    return all;
  }

  /** The pages of one file. */
  List<ImageSource> pages(Io io, ImageSource source, DocumentOptions options) throws IOException {
    if (source.isInline()) {
      return List.of(source);
    }
    Document document = open(io, source, options);
    return range().of(document.nPages()).stream()
        .map(page -> new ImageSource(source.name(), document, page))
        .toList();
  }

  private static Document open(Io io, ImageSource source, DocumentOptions options)
      throws IOException {
    PDFBOX.setLevel(Level.OFF); // what it finds odd about a file is none of a user's business
    FONTBOX.setLevel(Level.OFF);
    if (source.name().equals(ImageSource.STANDARD_INPUT)) {
      byte[] bytes = ImageDecoder.bytes(io.in(), ImageLimits.DEFAULT);
      return Documents.open(bytes, "standard input", options);
    }
    String name = source.name();
    boolean url = name.toLowerCase(Locale.ROOT).startsWith("file:");
    if (!url && name.contains("://")) {
      throw new IOException(String.valueOf(source.read(io))); // which says what is wrong with it
    }
    return Documents.open(url ? Path.of(URI.create(name)) : Path.of(name), options);
  }

  /** What could not be opened, and says so when it is read. */
  private record Unreadable(Exception why) implements Document {
    @Override
    public int nPages() {
      return 1;
    }

    @Override
    public dev.ocellus.vlm.image.RgbImage page(int number) {
      if (why instanceof OcellusException known) {
        throw known;
      }
      throw new java.io.UncheckedIOException((IOException) why);
    }

    @Override
    public void close() {} // nothing is open
  }
}
