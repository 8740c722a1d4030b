package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the values and answers are the reference's is ConversionTest's to show. */
class Gemma4Test extends VisionEncoderContract {
  @Override
  Path mmproj() throws IOException {
    return Golden.convertedMmproj("gemma4", directory);
  }

  @Override
  String requiredWeight() {
    return "v.blk.0.attn_q.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(120, 84, 1), Golden.noise(120, 84, 2));
  }

  /** Sizes of get_aspect_ratio_preserving_size of transformers 5.18 with patches of 4 by 4. */
  @ParameterizedTest
  @CsvSource({
    "640, 427, 70, 120, 72",
    "640, 427, 140, 168, 108",
    "640, 427, 280, 240, 156",
    "1, 1, 70, 96, 96",
    "300, 900, 70, 48, 168",
    "100, 60, 140, 180, 108"
  })
  void resizesToTheTokensThatAreChosen(int width, int height, int tokens, int toWidth, int toHeight)
      throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      ImageInput input =
          encoder.prepare(Golden.noise(width, height, 1), ImageOptions.ofTokens(0, tokens));
      assertThat(input.tiles().getFirst().size().width()).isEqualTo(toWidth);
      assertThat(input.tiles().getFirst().size().height()).isEqualTo(toHeight);
      assertThat(input.nTokens()).isEqualTo(toWidth / 12 * (toHeight / 12)).isLessThan(tokens + 1);
      assertThat(input.pixelShape()).containsExactly(1, 9 * tokens, 48);
    }
  }

  @Test
  void refusesOtherNumbersOfTokens() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      assertThatThrownBy(
              () -> encoder.prepare(Golden.noise(9, 9, 1), ImageOptions.ofTokens(0, 100)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("70, 140, 280, 560 or 1120")
          .satisfies(
              e -> assertThat(((SettingsRelated) e).settings()).contains(Setting.IMAGE_MAX_TOKENS));
    }
  }

  @Test
  void refusesAnImageWithMorePatchesThanPositions() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      assertThatThrownBy(() -> encoder.prepare(Golden.noise(10_000, 10, 1)))
          .isInstanceOf(ImageFormatException.class)
          .hasMessageContaining("64 positions");
    }
  }
}
