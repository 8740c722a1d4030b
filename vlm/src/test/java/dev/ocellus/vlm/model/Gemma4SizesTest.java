package dev.ocellus.vlm.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.ImageSize;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sizes of get_aspect_ratio_preserving_size of transformers 5.18. */
class Gemma4SizesTest {
  @ParameterizedTest
  @CsvSource({
    "640, 427, 70, 120, 72",
    "640, 427, 140, 168, 108",
    "640, 427, 280, 240, 156",
    "640, 427, 560, 336, 228",
    "640, 427, 1120, 480, 324",
    "1, 1, 70, 96, 96",
    "300, 900, 70, 48, 168",
    "200, 20, 70, 312, 24",
    "10000, 10, 70, 840, 12",
    "10, 10000, 280, 12, 3360",
    "1, 20000000, 1, 12, 12",
    "3000, 41, 70, 840, 12"
  })
  void areThoseOfTheReference(int width, int height, int tokens, int toWidth, int toHeight) {
    assertThat(Gemma4.resized(new ImageSize(width, height), 4, 3, tokens))
        .isEqualTo(new ImageSize(toWidth, toHeight));
  }
}
