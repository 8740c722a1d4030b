package dev.ocellus.vlm.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.util.List;
import org.junit.jupiter.api.Test;

class VisionArchitectureTest {
  private static final RgbImage IMAGE = RgbImage.filled(2, 2, Rgb.BLACK);
  private static final Video VIDEO = Video.of(List.of(IMAGE, IMAGE), 2);
  private static final ImagePromptFormat IMAGES_ONLY =
      new FixedPromptFormat(ImagePlaceholder.of("<image>"), ChatTemplateName.CHATML);
  private static final ImagePromptFormat WITH_VIDEOS =
      new FixedPromptFormat(
          ImagePlaceholder.of("<image>"),
          ImagePlaceholder.of("<video>").between("Frames: ", ""),
          ChatTemplateName.CHATML);

  /** Gives out a tile without pixels. */
  private record Preprocessor(boolean takesVideos, boolean hasPanAndScan)
      implements ImagePreprocessor {
    private static ImageInput input(int nTokens) {
      return new ImageInput(
          List.of(), List.of(0), 1, 1, List.of(ImagePiece.Embeddings.of(nTokens)));
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      return input(options.panAndScan() ? 2 : 1);
    }

    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      return takesVideos ? input(video.nFrames()) : ImagePreprocessor.super.prepare(video, options);
    }
  }

  private static final class Graph implements VisionGraph {
    @Override
    public int width() {
      return 3;
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      throw new AssertionError("nothing is computed");
    }
  }

  private static VisionArchitecture family(
      ImagePromptFormat format, boolean takesVideos, boolean hasPanAndScan) {
    return new VisionArchitecture(
        "tiny", format, new Preprocessor(takesVideos, hasPanAndScan), new Graph());
  }

  @Test
  void refusesVideosThatAFamilyDoesNotTake() {
    VisionArchitecture family = family(IMAGES_ONLY, false, false);
    assertThat(family.prepare(IMAGE, ImageOptions.DEFAULT).nTokens()).isEqualTo(1);
    assertThatThrownBy(() -> family.prepare(VIDEO, ImageOptions.DEFAULT))
        .isInstanceOf(UnsupportedContentException.class)
        .hasMessageContaining("tiny")
        .hasMessageContaining("frames as images");
    assertThatThrownBy(() -> family.place(VIDEO, 0, ImageOptions.DEFAULT))
        .isInstanceOf(UnsupportedContentException.class);
  }

  @Test
  void takesVideosOfAFamilyThatKnowsThem() {
    VisionArchitecture family = family(WITH_VIDEOS, true, false);
    assertThat(family.prepare(VIDEO, ImageOptions.DEFAULT).nTokens()).isEqualTo(2);
    assertThat(family.place(VIDEO, 0, ImageOptions.DEFAULT))
        .isEqualTo(new ImagePlaceholder("<video>", "Frames: ", "", "<video>\n"));
    assertThat(family.place(IMAGE, 0, ImageOptions.DEFAULT).marker()).isEqualTo("<image>");
  }

  @Test
  void refusesOptionsThatAFamilyDoesNotHave() {
    ImageOptions options = ImageOptions.DEFAULT.withPanAndScan(true);
    assertThatThrownBy(() -> family(IMAGES_ONLY, false, false).prepare(IMAGE, options))
        .isInstanceOf(UnsupportedContentException.class)
        .hasMessageContaining("no pan and scan");
    assertThat(family(IMAGES_ONLY, false, true).prepare(IMAGE, options).nTokens()).isEqualTo(2);
  }

  @Test
  void isOfOneMindAboutVideos() {
    assertThatThrownBy(() -> family(WITH_VIDEOS, false, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("videos");
    assertThatThrownBy(() -> family(IMAGES_ONLY, true, false))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
