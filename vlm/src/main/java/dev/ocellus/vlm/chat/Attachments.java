package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.codec.DataUrl;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.image.document.Documents;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files that come with a message, as parts of it: images, and the pages of documents. For
 * frameworks, whose messages have bytes, {@code data:} URLs or addresses.
 *
 * @param fetcher brings what stands at other addresses than {@code data:} and {@code file:}
 * @param options how pages are drawn, and the limits of a file
 * @param maxPages most pages of a document, each of which becomes an image
 */
public record Attachments(Fetcher fetcher, DocumentOptions options, int maxPages) {
  /** Dots per inch that leave small print readable, and a page about as large as a photograph. */
  private static final int DPI = 144;

  private static final int MAX_PAGES = 16;

  /** Brings files by their addresses. */
  @FunctionalInterface
  public interface Fetcher {
    /** The bytes of a file. */
    byte[] fetch(URI address) throws IOException;
  }

  public Attachments {
    if (maxPages < 1) {
      throw new IllegalArgumentException("max pages: expected 1 or more, found " + maxPages);
    }
  }

  /** With pages drawn at 144 dots per inch, 16 of a document at most. */
  public Attachments(Fetcher fetcher) {
    this(fetcher, DocumentOptions.defaults().withDpi(DPI), MAX_PAGES);
  }

  /**
   * The image in a file.
   *
   * @throws ImageFormatException if it is none, damaged or too large
   */
  public Content.Image image(byte[] file) {
    return new Content.Image(ImageDecoder.decode(file, options.limits()), "");
  }

  /**
   * The image at an address.
   *
   * @throws IOException if it cannot be read
   * @throws ImageFormatException if it is none, damaged or too large
   */
  public Content.Image image(URI address) throws IOException {
    return new Content.Image(
        ImageDecoder.decode(bytes(address), options.limits()), source(address));
  }

  /**
   * The pages of a document, or of a TIFF file, as images.
   *
   * @throws ImageFormatException if it is damaged or encrypted, has too many pages, or is a PDF
   *     document where the module {@code dev.ocellus.pdf} is not there
   */
  public List<Content> pages(byte[] file) {
    return pages(file, "");
  }

  /**
   * The pages of the document at an address.
   *
   * @throws IOException if it cannot be read
   * @throws ImageFormatException as of {@link #pages(byte[])}
   */
  public List<Content> pages(URI address) throws IOException {
    return pages(bytes(address), source(address));
  }

  private List<Content> pages(byte[] file, String source) {
    String name = source.isEmpty() ? "document" : source;
    try (Document document = Documents.open(file, name, options)) {
      int n = document.nPages();
      if (n > maxPages) {
        throw new ImageFormatException(
            ImageFormatException.Kind.TOO_LARGE,
            "%s: it has %d pages, and at most %d are shown to the model at once; give fewer pages, or raise the limit"
                .formatted(name, n, maxPages));
      }
      List<Content> pages = new ArrayList<>();
      for (int page = 1; page <= n; page++) {
        pages.add(new Content.Image(document.page(page), name + "#page=" + page));
      }
      return pages;
    }
  }

  private byte[] bytes(URI address) throws IOException {
    String text = address.toString();
    if (DataUrl.is(text)) {
      try {
        return DataUrl.bytes(text);
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
    return "file".equalsIgnoreCase(address.getScheme())
        ? ImageDecoder.bytes(path(address), options.limits())
        : fetcher.fetch(address);
  }

  private static Path path(URI address) throws IOException {
    try {
      return Path.of(address);
    } catch (IllegalArgumentException | FileSystemNotFoundException e) {
      throw new IOException(
          "not a file: URL of this machine (file:///path): "
              + DataUrl.shortened(address.toString()),
          e);
    }
  }

  /** Not a whole data URL. */
  private static String source(URI address) {
    return DataUrl.is(address.toString()) ? "" : address.toString();
  }
}
