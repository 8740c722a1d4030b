package dev.ocellus.vlm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.nio.ReadOnlyBufferException;
import org.junit.jupiter.api.Test;

class RgbImageTest {
  private final RgbImage image = TestImages.noise(5, 3, 9);

  @Test
  void doesNotShareTheArrayItWasMadeOf() {
    byte[] data = image.toByteArray();
    RgbImage copy = RgbImage.of(5, 3, data);
    data[0]++;
    assertThat(copy).isEqualTo(image);
    image.toByteArray()[0]++;
    assertThat(copy).isEqualTo(image);
    assertThatThrownBy(() -> image.asByteBuffer().put(0, (byte) 1))
        .isInstanceOf(ReadOnlyBufferException.class);
  }

  @Test
  void givesPixelsByColumnAndRow() {
    int at = (2 * 5 + 4) * 3;
    byte[] data = image.toByteArray();
    assertThat(image.red(4, 2)).isEqualTo(data[at] & 0xFF);
    assertThat(image.green(4, 2)).isEqualTo(data[at + 1] & 0xFF);
    assertThat(image.blue(4, 2)).isEqualTo(data[at + 2] & 0xFF);
    assertThatThrownBy(() -> image.rgb(5, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> image.rgb(0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void turnsClockwise() {
    RgbImage turned = image.rotate(1);
    assertThat(turned.size()).isEqualTo(new ImageSize(3, 5));
    assertThat(turned.rgb(2, 0)).isEqualTo(image.rgb(0, 0));
    assertThat(turned.rgb(0, 4)).isEqualTo(image.rgb(4, 2));
    assertThat(turned.rotate(-1)).isEqualTo(image);
    assertThat(image.rotate(2)).isEqualTo(image.flipHorizontal().flipVertical());
  }

  @Test
  void padsAndCropsBack() {
    RgbImage padded = image.pad(1, 2, 3, 4, new Rgb(1, 2, 3));
    assertThat(padded.size()).isEqualTo(new ImageSize(9, 9));
    assertThat(padded.rgb(0, 0)).isEqualTo(0x010203);
    assertThat(padded.rgb(8, 8)).isEqualTo(0x010203);
    assertThat(padded.crop(1, 2, 5, 3)).isEqualTo(image);
    assertThatThrownBy(() -> image.crop(1, 0, 5, 3)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> image.pad(-1, 0, 0, 0, Rgb.BLACK))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> image.pad(Integer.MAX_VALUE, 0, 9, 0, Rgb.BLACK))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void hasOneHashForEqualPixelsOfEqualShape() {
    assertThat(RgbImage.of(5, 3, image.toByteArray()).contentHash())
        .isEqualTo(image.contentHash())
        .hasSize(64);
    assertThat(RgbImage.of(3, 5, image.toByteArray()).contentHash())
        .isNotEqualTo(image.contentHash());
    assertThat(RgbImage.of(3, 5, image.toByteArray())).isNotEqualTo(image);
  }

  @Test
  void readsBufferedImagesOfAnyTypeWithoutColorManagement() {
    BufferedImage gray = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
    gray.getRaster().setSample(1, 0, 0, 100);
    assertThat(RgbImage.fromBufferedImage(gray).rgb(1, 0)).isEqualTo(0x646464);

    BufferedImage transparent = new BufferedImage(1, 1, BufferedImage.TYPE_4BYTE_ABGR);
    transparent.setRGB(0, 0, 0x00123456);
    assertThat(RgbImage.fromBufferedImage(transparent).rgb(0, 0)).isEqualTo(0x123456);

    BufferedImage palette = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_INDEXED);
    palette.setRGB(0, 0, 0xFF00FF00);
    assertThat(RgbImage.fromBufferedImage(palette).rgb(0, 0)).isEqualTo(0x00FF00);

    assertThat(RgbImage.fromBufferedImage(image.toBufferedImage())).isEqualTo(image);
  }

  @Test
  void refusesBytesThatDoNotFitTheSize() {
    assertThatThrownBy(() -> RgbImage.of(2, 2, new byte[11]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("12 bytes");
    assertThatThrownBy(() -> RgbImage.of(0, 2, new byte[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
