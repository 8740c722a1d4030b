package dev.ocellus.pdf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.image.document.Documents;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.encryption.AccessPermission;
import org.apache.pdfbox.pdmodel.encryption.StandardProtectionPolicy;
import org.junit.jupiter.api.Test;

class PdfReaderTest {
  private static final DocumentOptions INCH = DocumentOptions.defaults().withDpi(72);

  /** A page for each size in points, the lower left quarter of each in red. */
  private static byte[] pdf(String password, float... sizes) throws IOException {
    var out = new ByteArrayOutputStream();
    try (PDDocument document = new PDDocument()) {
      for (int i = 0; i < sizes.length; i += 2) {
        PDPage page = new PDPage(new PDRectangle(sizes[i], sizes[i + 1]));
        document.addPage(page);
        try (var content = new PDPageContentStream(document, page)) {
          content.setNonStrokingColor(Color.RED);
          content.addRect(0, 0, sizes[i] / 2, sizes[i + 1] / 2);
          content.fill();
        }
      }
      if (!password.isEmpty()) {
        document.protect(new StandardProtectionPolicy("owner", password, new AccessPermission()));
      }
      document.save(out);
    }
    return out.toByteArray();
  }

  @Test
  void drawsPagesAtTheResolutionThatIsChosen() throws IOException {
    byte[] file = pdf("", 40, 20, 10, 30);
    try (Document document = Documents.open(file, "a.pdf", INCH)) {
      assertThat(document.nPages()).isEqualTo(2);
      RgbImage page = document.page(1);
      assertThat(page.width()).isEqualTo(40);
      assertThat(page.height()).isEqualTo(20);
      assertThat(page.toBufferedImage().getRGB(2, 17)).isEqualTo(Color.RED.getRGB());
      assertThat(page.toBufferedImage().getRGB(37, 2)).isEqualTo(Color.WHITE.getRGB());
      assertThat(document.page(2).height()).isEqualTo(30);
      assertThatThrownBy(() -> document.page(3)).isInstanceOf(IllegalArgumentException.class);
    }
    try (Document document = Documents.open(file, "a.pdf", INCH.withDpi(144))) {
      assertThat(document.page(1).width()).isEqualTo(80);
    }
  }

  @Test
  void refusesPagesThatAreTooLargeBeforeTheyAreDrawn() throws IOException {
    byte[] file = pdf("", 10, 10, 14_000, 14_000);
    try (Document document =
        Documents.open(file, "poster.pdf", DocumentOptions.defaults().withDpi(600))) {
      assertThat(document.page(1).width()).isEqualTo(83);
      assertThatThrownBy(() -> document.page(2))
          .isInstanceOf(ImageFormatException.class)
          .hasMessageContainingAll("poster.pdf, page 2", "600 dots per inch", "fewer");
    }
    ImageLimits small = ImageLimits.DEFAULT.withMaxBytes(10);
    assertThatThrownBy(() -> Documents.open(file, "p.pdf", INCH.withLimits(small)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("10 bytes");
  }

  @Test
  void readsEncryptedDocumentsWithTheirPassword() throws IOException {
    byte[] file = pdf("secret", 20, 20);
    assertThatThrownBy(() -> Documents.open(file, "a.pdf", INCH))
        .isInstanceOfSatisfying(
            ImageFormatException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED))
        .hasMessageContainingAll("a.pdf", "encrypted", "password");
    assertThatThrownBy(() -> Documents.open(file, "a.pdf", INCH.withPassword("other")))
        .hasMessageContaining("another password");
    try (Document document = Documents.open(file, "a.pdf", INCH.withPassword("secret"))) {
      assertThat(document.page(1).width()).isEqualTo(20);
    }
  }

  @Test
  void refusesDamagedDocuments() throws IOException {
    byte[] whole = pdf("", 20, 20);
    byte[] head = "%PDF-1.7\nnothing else".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    assertThatThrownBy(() -> Documents.open(head, "b.pdf", INCH))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("b.pdf");
    for (int length = 9; length < whole.length; length += 23) {
      openOrRefuse(Arrays.copyOf(whole, length));
    }
    for (int at = 0; at < whole.length; at += 7) {
      byte[] changed = whole.clone();
      changed[at] ^= 0x15;
      openOrRefuse(changed);
    }
  }

  /** Whatever the bytes are, there is a page or one type of error. */
  private static void openOrRefuse(byte[] file) {
    try (Document document = Documents.open(file, "c.pdf", INCH)) {
      assertThat(document.page(1).width()).isPositive();
    } catch (ImageFormatException e) {
      assertThat(e).hasMessageStartingWith("c.pdf");
    }
  }
}
