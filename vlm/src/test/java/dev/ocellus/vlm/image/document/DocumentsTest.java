package dev.ocellus.vlm.image.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.vlm.image.ImageFormatException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class DocumentsTest {
  private static final DocumentOptions OPTIONS = DocumentOptions.defaults();

  /** Gray TIFF images of one pixel each, one directory after the other. */
  private static byte[] tiff(int next, int... grays) {
    ByteBuffer out = ByteBuffer.allocate(8 + grays.length * 128).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 'I').put((byte) 'I').putShort((short) 42).putInt(8);
    for (int i = 0; i < grays.length; i++) {
      int at = 8 + i * 128;
      out.position(at);
      int[][] tags = {
        {256, 1},
        {257, 1},
        {258, 8},
        {259, 1},
        {262, 1},
        {273, at + 120},
        {277, 1},
        {278, 1},
        {279, 1}
      };
      out.putShort((short) tags.length);
      for (int[] tag : tags) {
        out.putShort((short) tag[0]).putShort((short) 4).putInt(1).putInt(tag[1]);
      }
      out.putInt(i + 1 < grays.length ? at + 128 : next);
      out.put(at + 120, (byte) grays[i]);
    }
    return out.array();
  }

  @Test
  void readsEveryPageOfATiff() {
    try (Document document = Documents.open(tiff(0, 10, 200, 77), "a.tif", OPTIONS)) {
      assertThat(document.nPages()).isEqualTo(3);
      assertThat(List.of(1, 2, 3))
          .extracting(n -> document.page(n).toBufferedImage().getRGB(0, 0) & 0xFF)
          .containsExactly(10, 200, 77);
      assertThatThrownBy(() -> document.page(4)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> document.page(0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void endsWhereAChainOfDirectoriesComesBack() {
    try (Document document = Documents.open(tiff(8, 1, 2), "loop.tif", OPTIONS)) {
      assertThat(document.nPages()).isEqualTo(2);
    }
  }

  @Test
  void takesOtherImagesAsOnePage() {
    byte[] gif =
        new byte[] {
          'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2,
          0x44, 1, 0, 0x3B
        };
    try (Document document = Documents.open(gif, "a.gif", OPTIONS)) {
      assertThat(document.nPages()).isEqualTo(1);
    }
  }

  @Test
  void saysWhatIsMissingForPdf() {
    var pdf = new ByteArrayOutputStream();
    pdf.writeBytes("%PDF-1.7\n".getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> Documents.open(pdf.toByteArray(), "a.pdf", OPTIONS))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContainingAll("a.pdf", "PDF document");
  }

  @Test
  void readsRanges() {
    assertThat(PageRange.ALL.of(3)).containsExactly(1, 2, 3);
    assertThat(new PageRange("2, 4-5,7-").of(8)).containsExactly(2, 4, 5, 7, 8);
    assertThat(new PageRange("-2").of(8)).containsExactly(1, 2);
    for (String wrong : List.of("0", "x", "3-1", "1,,2", "-", "1.5", "99999999")) {
      assertThatThrownBy(() -> new PageRange(wrong))
          .as(wrong)
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("'" + wrong + "'");
    }
    assertThatThrownBy(() -> new PageRange("2-4").of(3))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("1 to 3");
  }

  @Test
  void refusesResolutionsThatAreNone() {
    assertThatThrownBy(() -> OPTIONS.withDpi(5)).isInstanceOf(InvalidSettingException.class);
    assertThat(OPTIONS.withPassword("secret").toString()).doesNotContain("secret");
  }
}
