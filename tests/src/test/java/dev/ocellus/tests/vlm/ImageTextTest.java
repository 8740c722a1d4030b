package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.quantize.file.GgufEditor.Change;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextMatch;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.imagetext.VisualQuestionAnswerer;
import dev.ocellus.vlm.model.WrongModelKindException;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Captions, answers and matches beside what the golden data compare. */
class ImageTextTest {
  private static final ImageTextOptions CPU = ImageTextOptions.cpu(1);
  private static final String PHOTO = "photo_640x427.jpg";

  /** What the tiny captioner writes about the photo; golden/models/blip-caption/cases/photo. */
  private static final int[] CAPTION = {40, 170, 122, 40, 40, 170, 66, 69, 170, 41, 40, 40};

  @TempDir static Path directory;
  private static Path captioner = Path.of("");
  private static Path answerer = Path.of("");
  private static Path matcher = Path.of("");

  @BeforeAll
  static void convert() throws IOException {
    captioner = converted("blip-caption");
    answerer = converted("blip-vqa");
    matcher = converted("blip-itm");
  }

  private static Path converted(String model) throws IOException {
    Path file = directory.resolve(model + ".gguf");
    Converter.convert(
        Path.of("golden/models").resolve(model).resolve("hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return file;
  }

  private static Answer caption(Path file, GenerationOptions options) throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(file, CPU)) {
      return model.caption(
          Golden.image(PHOTO), "", options, AnswerListener.NONE, new CancellationFlag());
    }
  }

  @Test
  void writesTwentyTokensUnlessToldOtherwise() throws IOException {
    Answer answer = caption(captioner, ImageCaptioner.defaults());
    assertThat(answer.tokens()).hasSize(20).startsWith(CAPTION);
    assertThat(answer.stopReason()).isEqualTo(StopReason.LENGTH);
    // 24 positions: the beginning, and as many tokens as can be followed by one more
    Answer all = caption(captioner, GenerationOptions.greedy());
    assertThat(all.stopReason()).isEqualTo(StopReason.CONTEXT);
    assertThat(all.tokens()).hasSize(24).startsWith(CAPTION);
  }

  @Test
  void endsAtTheEndTokenOrAStopString() throws IOException {
    Path file = directory.resolve("ends.gguf");
    GgufEditor.edit(
        captioner,
        file,
        List.of(
            new Change.Set(
                "tokenizer.ggml.eos_token_id", new GgufValue.Int(MetadataType.U32, 66))));
    Answer ended = caption(file, ImageCaptioner.defaults());
    assertThat(ended.tokens()).containsExactly(40, 170, 122, 40, 40, 170);
    assertThat(ended.stopReason()).isEqualTo(StopReason.END);
    assertThat(caption(file, ImageCaptioner.defaults().withIgnoreEos(true)).tokens())
        .startsWith(CAPTION);
    Answer whole = caption(captioner, ImageCaptioner.defaults());
    String stop = whole.content().substring(3, 6);
    Answer stopped = caption(captioner, ImageCaptioner.defaults().withStop(List.of(stop)));
    assertThat(stopped.stopReason()).isEqualTo(StopReason.STOP_STRING);
    assertThat(stopped.content())
        .isEqualTo(whole.content().substring(0, whole.content().indexOf(stop)));
  }

  @Test
  void samplesAsTheSeedSays() throws IOException {
    GenerationOptions options =
        ImageCaptioner.defaults()
            .withSampling(SamplingOptions.defaults().toBuilder().seed(7).temperature(2f).build());
    assertThat(caption(captioner, options).tokens())
        .isEqualTo(caption(captioner, options).tokens())
        .isNotEqualTo(caption(captioner, ImageCaptioner.defaults()).tokens());
  }

  @Test
  void goesOnFromABeginning() throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(captioner, CPU)) {
      RgbImage image = Golden.image(PHOTO);
      StringBuilder heard = new StringBuilder();
      Answer answer =
          model.caption(
              image,
              "A Photo of",
              ImageCaptioner.defaults(),
              heard::append,
              new CancellationFlag());
      assertThat(answer.parts().continued()).isEqualTo("a photo of");
      assertThat(heard.toString()).isEqualTo(answer.content());
      assertThat(model.caption(image, "A Photo of")).isEqualTo("a photo of" + answer.content());
      assertThat(model.caption(image)).isEqualTo(model.caption(image, ""));
    }
  }

  @Test
  void keepsTheLastImage() throws IOException {
    try (VisualQuestionAnswerer model = VisualQuestionAnswerer.open(answerer, CPU)) {
      Answer first = answer(model, PHOTO, "what is it?");
      Answer again = answer(model, PHOTO, "what is it?");
      assertThat(first.usage().images().encoded()).isEqualTo(1);
      assertThat(again.usage().images().fromMemory()).isEqualTo(1);
      assertThat(again.tokens()).isEqualTo(first.tokens());
      assertThat(answer(model, "odd_97x61.png", "what is it?").usage().images().encoded())
          .isEqualTo(1);
      // another length of the question, and back
      answer(model, PHOTO, "how many objects can you see?");
      assertThat(answer(model, PHOTO, "what is it?").tokens()).isEqualTo(first.tokens());
    }
  }

  private static Answer answer(VisualQuestionAnswerer model, String image, String question)
      throws IOException {
    return model.answer(
        Golden.image(image),
        question,
        VisualQuestionAnswerer.defaults(),
        AnswerListener.NONE,
        new CancellationFlag());
  }

  @Test
  void leavesOutTheEndOfLongTexts() throws IOException {
    String text = "a red bicycle near the ocean ".repeat(20);
    try (ImageTextMatcher model = ImageTextMatcher.open(matcher, CPU)) {
      int[] ids = model.tokenize(text).ids();
      assertThat(ids).hasSize(24).startsWith(2).endsWith(3);
      assertThat(model.tokenize(text).nDropped()).isPositive();
      assertThat(model.match(Golden.image(PHOTO), text).probability()).isBetween(0.0, 1.0);
      for (String odd : List.of("", " ", "\0", "\ud800", "x".repeat(100_000))) {
        assertThat(model.match(Golden.noise(1, 300, 1), odd).cosine()).isBetween(-1.0, 1.0);
      }
    }
    try (ImageCaptioner model = ImageCaptioner.open(captioner, CPU)) {
      assertThat(model.tokenize(text).ids()).hasSize(23).startsWith(203);
      assertThat(model.caption(Golden.image(PHOTO), text)).isNotEmpty();
    }
  }

  @Test
  void comparesTextsOneByOneAndTogetherAlike() throws IOException {
    try (ImageTextMatcher model = ImageTextMatcher.open(matcher, CPU)) {
      List<String> texts =
          List.of("a dog", "the blue harbor at night.", "a red bicycle", "a cat", "", "blue dog");
      List<ImageTextMatch> together = model.match(Golden.image(PHOTO), texts);
      for (int i = 0; i < texts.size(); i++) {
        assertThat(model.match(Golden.image(PHOTO), texts.get(i))).isEqualTo(together.get(i));
      }
    }
  }

  @Test
  void stopsWhenCancelled() throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(captioner, CPU)) {
      var flag = new CancellationFlag();
      flag.cancel();
      Answer answer =
          model.caption(
              Golden.image(PHOTO), "", ImageCaptioner.defaults(), AnswerListener.NONE, flag);
      assertThat(answer.stopReason()).isEqualTo(StopReason.CANCELLED);
      assertThat(model.caption(Golden.image(PHOTO))).isNotEmpty();
    }
  }

  @Test
  void refusesModelsOfAnotherKind() {
    assertThatThrownBy(() -> ImageCaptioner.open(matcher, CPU))
        .isInstanceOf(WrongModelKindException.class)
        .hasMessageContaining(
            "is a model that matches images and texts, not a model that captions");
    assertThatThrownBy(() -> ImageTextMatcher.open(Golden.TEXT, CPU))
        .isInstanceOf(WrongModelKindException.class);
    assertThatThrownBy(() -> VisualQuestionAnswerer.open(Golden.MMPROJ, CPU))
        .isInstanceOf(WrongModelKindException.class);
    assertThatThrownBy(() -> DualEncoder.open(captioner))
        .isInstanceOf(WrongModelKindException.class)
        .hasMessageContaining("a model that captions images");
    assertThatThrownBy(
            () -> caption(captioner, ImageCaptioner.defaults().withGrammar("root ::= \"a\"")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("grammar");
  }

  @Test
  void refusesWhatIsDamaged() throws IOException {
    refused("clip.text.attention.head_count", 3, "expected a divisor of 32");
    refused("clip.text.context_length", 99, "d.position_embd.weight");
    refused("tokenizer.ggml.bos_token_id", 9999, "tokenizer.ggml.bos_token_id: expected a number");
    refused("clip.text.block_count", 3, "d.blk.2");
  }

  private static void refused(String key, int value, String message) throws IOException {
    Path file = directory.resolve("damaged.gguf");
    GgufEditor.edit(
        captioner, file, List.of(new Change.Set(key, new GgufValue.Int(MetadataType.U32, value))));
    assertThatThrownBy(() -> ImageCaptioner.open(file, CPU))
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining(message);
    Files.delete(file);
  }
}
