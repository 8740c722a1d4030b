package dev.ocellus.pdf;

import dev.ocellus.Setting;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import java.io.IOException;
import java.util.Locale;
import org.apache.pdfbox.io.IOUtils;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.rendering.ImageType;
import org.apache.pdfbox.rendering.PDFRenderer;

/** The pages of a PDF document, each drawn on white when it is asked for. */
final class PdfDocument implements Document {
  /** Points of an inch, in which PDF measures. */
  private static final double POINTS = 72;

  private final PDDocument document;
  private final int nPages;
  private final DocumentOptions options;
  private final PDFRenderer renderer;

  PdfDocument(PDDocument document, int nPages, DocumentOptions options) {
    this.document = document;
    this.nPages = nPages;
    this.options = options;
    this.renderer = new PDFRenderer(document);
    renderer.setSubsamplingAllowed(true); // of scans that are larger than the page is drawn
  }

  @Override
  public int nPages() {
    return nPages;
  }

  @Override
  public RgbImage page(int number) {
    try {
      requireSize(document.getPage(number - 1));
      return RgbImage.fromBufferedImage(
          renderer.renderImageWithDPI(number - 1, options.dpi(), ImageType.RGB));
    } catch (IOException | IllegalStateException e) {
      throw PdfReader.damaged(e);
    }
  }

  /** Before anything is allocated, as a page may be as large as it likes. */
  private void requireSize(PDPage page) {
    PDRectangle box = page.getCropBox();
    double scale = options.dpi() / POINTS * page.getUserUnit();
    double width = Math.ceil(box.getWidth() * scale);
    double height = Math.ceil(box.getHeight() * scale);
    ImageLimits limits = options.limits();
    if (!(width >= 1 && height >= 1)) {
      throw ImageFormatException.corrupt(
          "the page measures %s x %s points".formatted(box.getWidth(), box.getHeight()));
    }
    if (width > limits.maxSide()
        || height > limits.maxSide()
        || width * height > limits.maxPixels()) {
      ImageFormatException tooLarge =
          new ImageFormatException(
              Kind.TOO_LARGE,
              String.format(
                  Locale.ROOT,
                  "the page has %.0f x %.0f pixels at %d dots per inch; at most %d pixels and a side of %d are allowed. Use fewer dots per inch, or raise ImageLimits",
                  width,
                  height,
                  options.dpi(),
                  limits.maxPixels(),
                  limits.maxSide()));
      tooLarge.about(Setting.DPI);
      throw tooLarge;
    }
  }

  @Override
  public void close() {
    closeQuietly(document);
  }

  /** Nothing is written, so there is nothing that closing could lose. */
  static void closeQuietly(PDDocument document) {
    IOUtils.closeQuietly(document);
  }
}
