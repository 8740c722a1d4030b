package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.Setting;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.ocr.OcrOptions;
import dev.ocellus.vlm.ocr.PageReader;
import dev.ocellus.vlm.ocr.PageText;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.sampling.NgramGuard;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pages are read with the family's own prompt, and repetition is guarded against. */
class OcrTest {
  private static final GenerationOptions FEW =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  /** A place of the vocabulary that no token of the golden data has. */
  private static final int CELL = 489;

  @TempDir Path directory;

  private static RgbImage page() throws IOException {
    return ImageDecoder.decode(Path.of("golden/images/odd_97x61.png"));
  }

  private VisionLanguageModel florence() throws IOException {
    return converted("florence2-odd");
  }

  /** A model whose file and name do not tell what it is. */
  private VisionLanguageModel converted(String checkpoint) throws IOException {
    return converted(Path.of("golden/models", checkpoint, "hf"));
  }

  private VisionLanguageModel converted(Path checkpoint) throws IOException {
    Path text = directory.resolve("model.gguf");
    Converter.convert(
        checkpoint,
        ConvertOptions.defaults().withOutput(text, null).withModelName("model"),
        ConvertProgress.NONE);
    return VisionLanguageModel.open(
        LoadOptions.of(text, text.resolveSibling("mmproj-model.gguf"))
            .withContextOptions(Golden.context(1024)));
  }

  /** Readers of pages, and what they are asked behind the image. */
  @ParameterizedTest
  @CsvSource({
    "glm-ocr, 'Text Recognition:', MARKDOWN",
    "lighton-ocr, '', MARKDOWN",
    "paddleocr-vl, 'OCR:', TEXT",
    "deepseek-ocr2, '<|grounding|>Convert the document to markdown. ', MARKDOWN"
  })
  void knowsReadersByWhatTheyAre(String checkpoint, String asked, OcrForm form) throws IOException {
    OcrOptions options = OcrOptions.defaults().withGeneration(FEW);
    try (VisionLanguageModel model = converted(checkpoint);
        var reader = new PageReader(model, options)) {
      assertThat(reader.prompt()).isEqualTo(asked);
      assertThat(reader.form()).isEqualTo(form);
    }
  }

  /** DeepSeek-OCR-2 whose vocabulary has the cells of tables, which are special tokens. */
  private VisionLanguageModel withCells() throws IOException {
    Path from = Path.of("golden/models/deepseek-ocr2/hf");
    Path folder = Files.createDirectory(directory.resolve("cells"));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    Path vocabulary = folder.resolve("tokenizer.json");
    ObjectNode tokenizer = (ObjectNode) new ObjectMapper().readTree(vocabulary.toFile());
    ArrayNode added = (ArrayNode) tokenizer.get("added_tokens");
    ObjectNode cell = added.get(added.size() - 1).deepCopy();
    added.add(cell.put("id", CELL).put("content", "<td>").put("special", true));
    new ObjectMapper().writeValue(vocabulary.toFile(), tokenizer);
    return converted(folder);
  }

  /** Answers that say one token again and again, as long as they may. */
  private static GenerationOptions always(int token, int n) {
    SamplingOptions one =
        SamplingOptions.greedy().toBuilder().logitBias(Map.of(token, 1000f)).build();
    return FEW.withMaxTokens(n).withSampling(one);
  }

  /** Whatever is asked, the answer is written and guarded as the family does it. */
  @ParameterizedTest
  @CsvSource({"MARKDOWN,", "TEXT,", "TEXT, 'Parse the figure.'"})
  void keepsCellsAndGuardWhateverIsAsked(OcrForm form, @Nullable String asked) throws IOException {
    OcrOptions options = OcrOptions.defaults().withForm(form).withPrompt(asked);
    try (VisionLanguageModel model = withCells()) {
      try (var reader = new PageReader(model, options.withGeneration(always(CELL, 30)))) {
        assertThat(reader.form()).isEqualTo(form);
        PageText read = reader.read(page());
        assertThat(read.text()).isEqualTo("<td>".repeat(30)); // which may come again
        assertThat(read.answer().prompt()).contains(reader.prompt().strip());
      }
      OcrOptions letters =
          options.withGeneration(
              always(model.pipeline().decoder().vocab().tokenize("a", false)[0], 30));
      try (var reader = new PageReader(model, letters)) {
        assertThat(reader.read(page()).text())
            .startsWith("a".repeat(20))
            .doesNotContain("a".repeat(21));
      }
      try (var reader = new PageReader(model, letters.withGuarded(false))) {
        assertThat(reader.read(page()).text()).isEqualTo("a".repeat(30));
      }
    }
  }

  /** LightOnOCR's page has the image in its message, and nothing else. */
  @Test
  void asksWithThePageAlone() throws IOException {
    try (VisionLanguageModel model = converted("lighton-ocr");
        var reader = new PageReader(model, OcrOptions.defaults().withGeneration(FEW))) {
      assertThat(reader.read(page()).answer().prompt())
          .endsWith("<|im_start|>user\n<|image_pad|><|im_end|>\n<|im_start|>assistant\n");
    }
  }

  /** Of the same family, but no reader of pages. */
  @Test
  void doesNotTakeAllOfGlmForAReader() throws IOException {
    try (VisionLanguageModel model = converted("glm46v")) {
      assertThatThrownBy(() -> new PageReader(model, OcrOptions.defaults()))
          .isInstanceOf(UnsupportedContentException.class)
          .hasMessageContaining("glm4v");
    }
  }

  @Test
  void asksInTheWordsOfTheFamily() throws IOException {
    OcrOptions options = OcrOptions.defaults().withForm(OcrForm.TEXT).withGeneration(FEW);
    try (VisionLanguageModel model = florence()) {
      try (var reader = new PageReader(model, options)) {
        assertThat(reader.prompt()).isEqualTo("<OCR>");
        assertThat(reader.streamsText()).isTrue();
        PageText read = reader.read(page());
        assertThat(read.answer().prompt()).contains("What is the text in the image?</s>");
        assertThat(read.text()).isEqualTo(read.answer().content());
      }
      try (var reader = new PageReader(model, options.withPlaces(true))) {
        assertThat(reader.prompt()).isEqualTo("<OCR_WITH_REGION>");
        assertThat(reader.streamsText()).isFalse();
        assertThat(reader.read(page()).answer().prompt()).contains("with regions?</s>");
      }
      try (var reader = new PageReader(model, options.withPrompt("Read this."))) {
        assertThat(reader.read(page()).answer().prompt()).contains("<s>Read this.</s>");
      }
    }
  }

  @Test
  void saysWhereAFamilyHasNoPrompt() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options())) {
      assertThatThrownBy(() -> new PageReader(model, OcrOptions.defaults()))
          .isInstanceOfSatisfying(
              UnsupportedContentException.class,
              e -> assertThat(e.settings()).containsExactly(Setting.OCR_PROMPT))
          .hasMessageContaining("llava");
    }
  }

  @Test
  void guardsAgainstRepetition() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      List<Message> asked = List.of(Message.user("Hello"));
      GenerationOptions many = FEW.withMaxTokens(60);
      int[] free = chat.complete(asked, many, AnswerListener.NONE).tokens();
      int[] guarded =
          chat.complete(
                  asked, many.withNgramGuard(new NgramGuard(2, 100, Set.of())), AnswerListener.NONE)
              .tokens();
      assertThat(repeats(guarded)).isZero();
      assertThat(repeats(free)).isPositive();
    }
  }

  private static int repeats(int[] tokens) {
    Set<List<Integer>> seen = new HashSet<>();
    int n = 0;
    for (int i = 0; i + 1 < tokens.length; i++) {
      n += seen.add(List.of(tokens[i], tokens[i + 1])) ? 0 : 1;
    }
    return n;
  }

  @Test
  void takesControlTokensOfAProgramsPromptOnly() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options())) {
      String eos =
          model.pipeline().decoder().vocab().text(model.pipeline().decoder().vocab().eos());
      List<Message> asked = List.of(Message.user("a" + eos + "b"));
      int id = model.pipeline().decoder().vocab().eos();
      int[] plain = model.prompt(asked).segments().stream().flatMapToInt(OcrTest::ids).toArray();
      int[] trusted =
          model
              .prompt(asked, PromptOptions.defaults().withControlTokens(Set.of(eos)))
              .segments()
              .stream()
              .flatMapToInt(OcrTest::ids)
              .toArray();
      assertThat(plain).doesNotContain(id);
      assertThat(trusted).contains(id);
    }
  }

  private static IntStream ids(Segment segment) {
    return segment instanceof Segment.Tokens(int[] ids) ? Arrays.stream(ids) : IntStream.empty();
  }
}
