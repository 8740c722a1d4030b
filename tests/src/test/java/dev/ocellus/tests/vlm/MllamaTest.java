package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.InvalidSettingException;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sessions of Llama 3.2 Vision, in which another image changes what was computed before: whatever
 * the way to a conversation, its answer is the one of a fresh context. {@code ConversionTest}
 * compares with transformers.
 */
class MllamaTest {
  private static final Path GOLDEN = Path.of("golden/models/mllama-odd");
  private static final GenerationOptions SIX =
      GenerationOptions.greedy().withMaxTokens(6).withIgnoreEos(true);

  @TempDir Path directory;

  private VisionLanguageModel open(OutputType type, int nCtx) throws IOException {
    Path text = directory.resolve("text-" + type + ".gguf");
    if (!text.toFile().exists()) {
      Converter.convert(
          GOLDEN.resolve("hf"),
          ConvertOptions.defaults().withOutput(text, null).withTypes(type, OutputType.F32),
          ConvertProgress.NONE);
    }
    return VisionLanguageModel.open(
        LoadOptions.of(text, text.resolveSibling("mmproj-" + text.getFileName()))
            .withContextOptions(
                ContextOptions.defaults()
                    .withContext(nCtx)
                    .withBatch(64, 8)
                    .withThreads(1, 1)
                    .withCache(TensorType.F32, TensorType.F32)));
  }

  private static RgbImage image(String name) throws IOException {
    return ImageDecoder.decode(Path.of("golden/images", name));
  }

  private static int[] fresh(VisionLanguageModel model, List<Message> messages) {
    try (ChatSession chat = model.newChat()) {
      return chat.complete(messages, SIX, AnswerListener.NONE).tokens();
    }
  }

  @Test
  void answersAsAFreshContextWhateverTheWay() throws IOException {
    try (VisionLanguageModel model = open(OutputType.F32, 512);
        ChatSession chat = model.newChat()) {
      Message first = Message.user("What is this?", image("odd_97x61.png"));
      Message second = Message.user("And this?", image("tall_300x900.png"));
      Message third = Message.user("More words.");
      for (Message message : List.of(first, second, third)) {
        Answer answer = chat.send(message, SIX, AnswerListener.NONE);
        List<Message> asked = chat.history().subList(0, chat.history().size() - 1);
        assertThat(answer.tokens()).as("%s", message.text()).isEqualTo(fresh(model, asked));
      }
      int[] before = chat.regenerate(SIX, AnswerListener.NONE).tokens();
      assertThat(before)
          .isEqualTo(fresh(model, chat.history().subList(0, chat.history().size() - 1)));
      chat.undo();
      chat.undo(); // the second image is gone
      Answer again = chat.send(third, SIX, AnswerListener.NONE);
      assertThat(again.tokens())
          .isEqualTo(fresh(model, chat.history().subList(0, chat.history().size() - 1)));
      Path file = directory.resolve("saved.session");
      chat.save(file);
      try (ChatSession other = model.newChat()) {
        other.restore(file);
        assertThat(other.send(first, SIX, AnswerListener.NONE).tokens())
            .isEqualTo(chat.send(first, SIX, AnswerListener.NONE).tokens());
      }
    }
  }

  /** Row by row they are what layers attend to, [tiles * (patches + 1), width] in the reference. */
  @Test
  void givesTheStatesOfAnImageRowByRow() throws IOException {
    try (VisionLanguageModel model = open(OutputType.F32, 512);
        SafetensorsFile expected =
            SafetensorsFile.open(GOLDEN.resolve("cases/case0/expected.safetensors"))) {
      VisionEncoder encoder = model.encoder().orElseThrow();
      ImageEmbeddings whole = encoder.encode(encoder.prepare(image("tall_300x900.png")));
      ImageEmbeddings states = encoder.states(whole);
      assertThat(states.width()).isEqualTo(32);
      assertThat(states.nTokens()).isEqualTo(3 * (5 * 5 + 1));
      float[] rows = expected.floats("projector.out"); // and the number of tiles behind them
      assertThat(states.values())
          .containsExactly(Arrays.copyOf(rows, rows.length - 1), within(1e-4f));
    }
  }

  @Test
  void leavesLayersOutWithoutImages() throws IOException {
    JsonNode expected = new ObjectMapper().readTree(GOLDEN.resolve("text.json").toFile());
    try (VisionLanguageModel model = open(OutputType.F32, 512);
        ChatSession chat = model.newChat()) {
      GenerationOptions twelve = SIX.withMaxTokens(expected.get("greedy").size());
      String text = expected.at("/messages/0/content/0/text").asText();
      Answer answer = chat.complete(List.of(Message.user(text)), twelve, AnswerListener.NONE);
      assertThat(answer.prompt()).isEqualTo(expected.get("prompt").asText());
      assertThat(answer.tokens())
          .isEqualTo(new ObjectMapper().convertValue(expected.get("greedy"), int[].class));
    }
  }

  @Test
  void computesWithQuantizedWeights() throws IOException {
    try (VisionLanguageModel exact = open(OutputType.F32, 128);
        VisionLanguageModel small = open(OutputType.Q8_0, 128)) {
      List<Message> asked = List.of(Message.user("What is this?", image("odd_97x61.png")));
      assertThat(fresh(small, asked)).hasSize(6);
      assertThat(fresh(small, asked)[0]).isEqualTo(fresh(exact, asked)[0]);
    }
  }

  @Test
  void refusesWhatItCannotDo() throws IOException {
    try (VisionLanguageModel model = open(OutputType.F32, 40);
        ChatSession chat = model.newChat()) {
      Message question = Message.user("What is this?", image("odd_97x61.png"));
      assertThatThrownBy(
              () -> chat.complete(List.of(question), SIX.withBeams(3), AnswerListener.NONE))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("beam search");
      Message longer = Message.user("word ".repeat(60), image("odd_97x61.png"));
      assertThatThrownBy(() -> chat.complete(List.of(longer), SIX, AnswerListener.NONE))
          .isInstanceOf(ContextOverflowException.class);
      Answer cut = chat.complete(List.of(question), SIX.withMaxTokens(-1), AnswerListener.NONE);
      assertThat(cut.promptTokens().length + cut.tokens().length).isLessThanOrEqualTo(41);
    }
  }
}
