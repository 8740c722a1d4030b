package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people are told and shown of what a model sees. */
class SeenImagesTest {
  private static final Path MODELS = Path.of("golden/models");

  private static Path gguf(String model, String file) {
    return MODELS.resolve(model).resolve("gguf").resolve(file);
  }

  /** Images that have the encoder's size come out as they went in. */
  @ParameterizedTest
  @CsvSource({
    "llava-1.5, exact_56x56.png",
    "qwen2-vl, exact_112x56.png",
    "qwen2.5-vl, exact_112x56.png",
    "qwen3-vl, exact_160x96.png",
    "gemma3, exact_112x112.png",
    "pixtral, exact_64x64.png"
  })
  void showsImagesThatFitAsTheyAre(String model, String name) throws IOException {
    RgbImage image = ImageDecoder.decode(Path.of("golden/images").resolve(name));
    try (VisionEncoder encoder = VisionEncoder.open(gguf(model, "mmproj.gguf"), 1, false)) {
      ImageInput input = encoder.prepare(image, ImageOptions.ofTokens(1, 4096));
      assertThat(input.tiles().getFirst().size()).isEqualTo(image.size());
      RgbImage shown = encoder.architecture().shown(input).getFirst();
      assertThat(shown.contentHash()).isEqualTo(image.contentHash());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llava-next",
        "llava-onevision",
        "internvl",
        "smolvlm2",
        "janus",
        "paligemma",
        "minicpm-v",
        "pixtral",
        "qwen2.5-vl"
      })
  void showsAllTilesOfEveryFamily(String model) throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(gguf(model, "mmproj.gguf"), 1, false)) {
      ImageInput input = encoder.prepare(Golden.noise(150, 70, 3));
      List<RgbImage> shown = encoder.architecture().shown(input);
      List<ImageSize> sizes = new ArrayList<>();
      input.tiles().forEach(t -> sizes.addAll(java.util.Collections.nCopies(t.n(), t.size())));
      assertThat(shown).extracting(RgbImage::size).isEqualTo(sizes).hasSize(input.nTiles());
    }
  }

  /** Of pairs of frames the last one stands for two; squares of 56 pixels need no resize. */
  @ParameterizedTest
  @CsvSource({"qwen2-vl, 4", "qwen2.5-vl, 4", "llava-1.5, 0", "internvl, 3"})
  void showsTheFramesOfAVideo(String model, int expected) throws IOException {
    List<RgbImage> frames =
        List.of(Golden.noise(56, 56, 1), Golden.noise(56, 56, 2), Golden.noise(56, 56, 3));
    try (VisionEncoder encoder = VisionEncoder.open(gguf(model, "mmproj.gguf"), 1, false)) {
      Video video = Video.of(frames, 2);
      if (expected == 0) {
        assertThatThrownBy(() -> encoder.prepare(video, ImageOptions.DEFAULT))
            .isInstanceOf(UnsupportedContentException.class)
            .hasMessageContaining("take no videos");
        return;
      }
      ImageInput input = encoder.prepare(video, ImageOptions.DEFAULT);
      List<RgbImage> shown = encoder.architecture().shown(input);
      assertThat(shown).hasSize(expected);
      for (int i = 0; i < expected; i++) {
        assertThat(shown.get(i).contentHash()).isEqualTo(frames.get(Math.min(i, 2)).contentHash());
      }
    }
  }

  private static List<ImageReport> reports(String model, Message... messages) throws IOException {
    List<ImageReport> reports = new ArrayList<>();
    AnswerListener listener =
        new AnswerListener() {
          @Override
          public void onText(String text) {}

          @Override
          public void onImage(int index, ImageReport report) {
            assertThat(index).isEqualTo(reports.size());
            reports.add(report);
          }
        };
    try (VisionLanguageModel vlm =
            VisionLanguageModel.open(
                LoadOptions.of(gguf(model, "text.gguf"), gguf(model, "mmproj.gguf"))
                    .withContextOptions(Golden.context(1024)));
        ChatSession chat = vlm.newChat()) {
      GenerationOptions one = GenerationOptions.greedy().withMaxTokens(1).withIgnoreEos(true);
      for (Message message : messages) {
        reports.clear();
        Answer answer = chat.send(message, one, listener);
        assertThat(reports.stream().mapToInt(ImageReport::tokens).sum())
            .isEqualTo(answer.usage().imageTokens());
      }
    }
    return reports;
  }

  @Test
  void tellsWhatIsCutOff() throws IOException {
    List<ImageReport> reports = reports("llava-1.5", Message.user("x", Golden.noise(97, 61, 1)));
    ImageSize square = new ImageSize(56, 56);
    assertThat(reports).hasSize(1);
    ImageReport report = reports.getFirst();
    assertThat(report.size()).isEqualTo(new ImageSize(97, 61));
    assertThat(report.tiles()).containsExactly(square);
    assertThat(report.tokens()).isEqualTo(16);
    // 97 x 61 becomes 89 x 56, of which 33 columns are cut: 33 * 97 / 89 of the image
    assertThat(report.fit()).isEqualTo(new ImageFit(ImageFit.Kind.CROPPED, 36, 0));
  }

  @Test
  void tellsOfImagesThatStandInTheContextToo() throws IOException {
    List<ImageReport> reports =
        reports(
            "janus",
            Message.user("x", Golden.noise(97, 61, 1)),
            Message.user("y", Golden.noise(20, 40, 2)));
    assertThat(reports)
        .extracting(ImageReport::fit)
        .containsExactly(
            new ImageFit(ImageFit.Kind.PADDED, 0, 36), new ImageFit(ImageFit.Kind.PADDED, 20, 0));
  }

  @Test
  void readsRegionsOnlyWhereAFamilyGivesThem() throws IOException {
    RgbImage image = Golden.noise(97, 61, 1);
    for (String model : List.of("llava-1.5", "qwen2.5-vl")) {
      try (VisionLanguageModel vlm =
              VisionLanguageModel.open(
                  LoadOptions.of(gguf(model, "text.gguf"), gguf(model, "mmproj.gguf"))
                      .withContextOptions(Golden.context(256)));
          ChatSession chat = vlm.newChat()) {
        GenerationOptions one = GenerationOptions.greedy().withMaxTokens(1);
        Answer answer = chat.send(Message.user("x", image), one, AnswerListener.NONE);
        if (model.startsWith("qwen")) {
          assertThat(vlm.regions(answer, image)).isEmpty();
        } else {
          assertThatThrownBy(vlm::requireCoordinates)
              .isInstanceOf(UnsupportedContentException.class);
          assertThatThrownBy(() -> vlm.regions(answer, image))
              .isInstanceOf(UnsupportedContentException.class)
              .hasMessageContaining("coordinates");
        }
      }
    }
  }
}
