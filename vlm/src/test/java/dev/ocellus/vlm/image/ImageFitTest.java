package dev.ocellus.vlm.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.ImageFit.Kind;
import org.junit.jupiter.api.Test;

class ImageFitTest {
  private static final ImageSize IMAGE = new ImageSize(200, 100);

  /** Ten columns of a canvas on which 200 columns are 50 are 40 of the image. */
  @Test
  void tellsTheBorderInPixelsOfTheImage() {
    ImageSize scaled = new ImageSize(50, 25);
    assertThat(ImageFit.onCanvas(IMAGE, scaled, new ImageSize(60, 30), false))
        .isEqualTo(new ImageFit(Kind.PADDED, 40, 20));
    assertThat(ImageFit.onCanvas(IMAGE, scaled, new ImageSize(60, 25), true))
        .isEqualTo(new ImageFit(Kind.TILED, 40, 0));
    assertThat(ImageFit.onCanvas(IMAGE, scaled, scaled, true))
        .isEqualTo(new ImageFit(Kind.TILED, 0, 0));
  }

  @Test
  void withoutABorderTheAspectRatioTells() {
    ImageSize scaled = new ImageSize(50, 25);
    assertThat(ImageFit.onCanvas(IMAGE, scaled, scaled, false).kind()).isEqualTo(Kind.SCALED);
    ImageSize square = new ImageSize(50, 50);
    assertThat(ImageFit.onCanvas(IMAGE, square, square, false).kind()).isEqualTo(Kind.STRETCHED);
  }
}
