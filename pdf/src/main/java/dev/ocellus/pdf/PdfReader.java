package dev.ocellus.pdf;

import dev.ocellus.Setting;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.image.document.DocumentReader;
import dev.ocellus.vlm.image.document.Documents;
import java.io.IOException;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.io.IOUtils;
import org.apache.pdfbox.io.RandomAccessReadBuffer;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;

/**
 * Reads PDF documents. PDFBox is a well-kept library in pure Java that needs nothing of the
 * machine; what it draws with (fonts, JPEG) it brings or takes from the JDK.
 */
public final class PdfReader implements DocumentReader {
  @Override
  public boolean reads(byte[] head) {
    return Documents.isPdf(head);
  }

  @Override
  public Document open(byte[] file, DocumentOptions options) {
    PDDocument document = load(file, options.password());
    int nPages;
    try {
      nPages = document.getNumberOfPages();
    } catch (RuntimeException | StackOverflowError e) {
      PdfDocument.closeQuietly(document);
      throw damaged(e);
    }
    if (nPages < 1) {
      PdfDocument.closeQuietly(document);
      throw ImageFormatException.corrupt("the PDF document has no pages");
    }
    return new PdfDocument(document, nPages, options);
  }

  private static PDDocument load(byte[] file, String password) {
    try {
      return Loader.loadPDF(
          new RandomAccessReadBuffer(file),
          password,
          null,
          null,
          IOUtils.createMemoryOnlyStreamCache());
    } catch (InvalidPasswordException e) {
      ImageFormatException refused =
          new ImageFormatException(
              Kind.UNSUPPORTED,
              password.isEmpty()
                  ? "the PDF document is encrypted; give its password"
                  : "the PDF document is encrypted with another password",
              e);
      refused.about(Setting.PASSWORD);
      throw refused;
    } catch (IOException e) {
      throw damaged(e);
    }
  }

  static ImageFormatException damaged(Throwable e) {
    String detail = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new ImageFormatException(
        Kind.CORRUPT, "the PDF document is damaged (" + detail + ")", e);
  }
}
