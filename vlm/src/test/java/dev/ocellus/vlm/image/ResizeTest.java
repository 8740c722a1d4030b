package dev.ocellus.vlm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

class ResizeTest {
  @Test
  void hasTheBytesOfPillow() {
    SoftAssertions softly = new SoftAssertions();
    for (String[] row : TestImages.table("resize-golden.tsv")) {
      RgbImage source =
          TestImages.noise(
              Integer.parseInt(row[0]), Integer.parseInt(row[1]), Integer.parseInt(row[2]));
      Resize.Box box =
          new Resize.Box(
              Float.parseFloat(row[4]),
              Float.parseFloat(row[5]),
              Float.parseFloat(row[6]),
              Float.parseFloat(row[7]));
      RgbImage result =
          Resize.resize(
              source,
              Integer.parseInt(row[8]),
              Integer.parseInt(row[9]),
              ResizeFilter.valueOf(row[3]),
              box);
      softly.assertThat(result.contentHash()).as(String.join(" ", row)).isEqualTo(row[10]);
    }
    softly.assertAll();
  }

  @Test
  void hasTheBytesOfTorchvision() {
    SoftAssertions softly = new SoftAssertions();
    for (String[] row : TestImages.table("resize-torch.tsv")) {
      RgbImage source =
          TestImages.noise(
              Integer.parseInt(row[0]), Integer.parseInt(row[1]), Integer.parseInt(row[2]));
      ImageSize size = new ImageSize(Integer.parseInt(row[4]), Integer.parseInt(row[5]));
      RgbImage result = Resize.resizeAsTorch(source, size, ResizeFilter.valueOf(row[3]));
      softly.assertThat(result.contentHash()).as(String.join(" ", row)).isEqualTo(row[6]);
    }
    softly.assertAll();
  }

  @Test
  void givesTheSameOnSeveralThreads() {
    // Large enough for the parallel path; a strip of it is small enough for the serial one.
    RgbImage image = TestImages.noise(1600, 900, 7);
    RgbImage whole = Resize.resize(image, 800, 450, ResizeFilter.LANCZOS);
    for (int y : new int[] {0, 200, 446}) {
      Resize.Box strip = new Resize.Box(0, y * 2, 1600, y * 2 + 8);
      RgbImage part = Resize.resize(image, 800, 4, ResizeFilter.LANCZOS, strip);
      assertThat(part).isEqualTo(whole.crop(0, y, 800, 4));
    }
  }

  @Test
  void returnsTheImageItselfWhenNothingChanges() {
    RgbImage image = TestImages.noise(20, 10, 1);
    assertThat(Resize.resize(image, 20, 10, ResizeFilter.BICUBIC)).isSameAs(image);
  }

  @Test
  void refusesABoxBeyondTheImage() {
    RgbImage image = TestImages.noise(20, 10, 1);
    assertThatThrownBy(
            () -> Resize.resize(image, 5, 5, ResizeFilter.BOX, new Resize.Box(0, 0, 20.5f, 10)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("20x10");
    assertThatThrownBy(() ->
            Resize.resize(image, 5, 5, ResizeFilter.BOX, new Resize.Box(Float.NaN, 0, 20, 10)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> Resize.resize(image, 5, 5, ResizeFilter.BOX, new Resize.Box(4, 4, 4, 10)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesAResultThatNoArrayHolds() {
    RgbImage image = TestImages.noise(2, 2, 1);
    assertThatThrownBy(() -> Resize.resize(image, 60_000, 60_000, ResizeFilter.BICUBIC))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("60000x60000");
    assertThatThrownBy(() -> Resize.resize(image, 0, 4, ResizeFilter.BICUBIC))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void knowsTheFiltersByPillowsNumbers() {
    assertThat(ResizeFilter.ofPillowCode(3)).isEqualTo(ResizeFilter.BICUBIC);
    assertThat(ResizeFilter.ofPillowCode(1)).isEqualTo(ResizeFilter.LANCZOS);
    assertThatThrownBy(() -> ResizeFilter.ofPillowCode(6))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
