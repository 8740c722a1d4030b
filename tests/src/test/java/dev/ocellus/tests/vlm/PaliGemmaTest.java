package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That the values and answers are the reference's is FidelityTest's to show. */
class PaliGemmaTest extends VisionEncoderContract {
  private static final Path DIRECTORY = Path.of("golden/models/paligemma/gguf");
  private static final Path TEXT = DIRECTORY.resolve("text.gguf");
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  @Override
  Path mmproj() {
    return DIRECTORY.resolve("mmproj.gguf");
  }

  @Override
  String requiredWeight() {
    return "mm.model.fc.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(97, 61, 1), Golden.noise(40, 80, 2));
  }

  private VisionLanguageModel model(ContextOptions context) throws IOException {
    return VisionLanguageModel.open(LoadOptions.of(TEXT, mmproj()).withContextOptions(context));
  }

  @Test
  void answersAnOldQuestionInALongerConversationAsANewSessionDoes() throws IOException {
    Message first = Message.user("describe en", Golden.noise(97, 61, 1));
    Message second = Message.user("caption");
    try (VisionLanguageModel model = model(Golden.context(256));
        ChatSession chat = model.newChat();
        ChatSession fresh = model.newChat()) {
      chat.send(first, TEN, AnswerListener.NONE);
      List<Message> history = chat.history();
      Answer later = chat.send(second, TEN, AnswerListener.NONE);
      assertThat(later.usage().cachedTokens()).isZero(); // what it sees has changed
      fresh.setHistory(history);
      assertThat(fresh.send(second, TEN, AnswerListener.NONE).tokens()).isEqualTo(later.tokens());
    }
  }

  @Test
  void isScoredAsItAnswers() throws IOException {
    Message message = Message.user("caption", Golden.noise(9, 9, 1));
    try (VisionLanguageModel model = model(Golden.context(256));
        ChatSession chat = model.newChat();
        var scored = new ScoredConversation(model.pipeline(), null)) {
      Answer answer = chat.send(message, TEN.withLogProbs(0), AnswerListener.NONE);
      int[] compared = {0};
      scored.repeat(
          List.of(message),
          answer.tokens(),
          (i, token, logits) -> {
            float expected = answer.parts().logProbs().get(i).chosen().logProb();
            float found = TopLogProbs.of(logits, 0, token).chosen().logProb();
            assertThat(found).as("token %d", i).isCloseTo(expected, within(1e-5f));
            compared[0]++;
          },
          new CancellationFlag());
      assertThat(compared[0]).isEqualTo(10);
    }
  }

  @Test
  void writesTheBeginningBehindTheImages() throws IOException {
    Message message = Message.user("caption", Golden.noise(9, 9, 1));
    try (VisionLanguageModel model = model(Golden.context(256));
        ChatSession chat = model.newChat()) {
      Answer answer = chat.complete(List.of(message), TEN, AnswerListener.NONE);
      assertThat(answer.prompt()).isEqualTo("<image><bos>caption\n");
      int[] expected = new int[16];
      Arrays.fill(expected, -1);
      assertThat(answer.promptTokens()).startsWith(expected);
      int bos = model.pipeline().decoder().vocab().bos();
      assertThat(answer.promptTokens()[16]).isEqualTo(bos);
      assertThat(Arrays.stream(answer.promptTokens()).filter(id -> id == bos)).hasSize(1);
    }
  }

  @Test
  void refusesAPromptThatDoesNotFitAMicroBatch() throws IOException {
    Message message = Message.user("caption", Golden.noise(9, 9, 1));
    try (VisionLanguageModel model = model(Golden.context(256).withBatch(16, 16));
        ChatSession chat = model.newChat()) {
      assertThatThrownBy(() -> chat.send(message, TEN, AnswerListener.NONE))
          .isInstanceOf(ContextOverflowException.class)
          .hasMessageContaining("The prompt has")
          .extracting(e -> ((SettingsRelated) e).settings().getFirst())
          .isEqualTo(Setting.MICRO_BATCH);
    }
  }

  @Test
  void readsTokensAsRows() throws IOException {
    try (TokenEmbeddings table = TokenEmbeddings.open(TEXT);
        GgufFile file = GgufFile.open(TEXT)) {
      GgufTensor tensor = file.tensor("token_embd.weight");
      float[] all = tensor.floats();
      int width = table.width();
      float[] row = new float[width + 2];
      for (int token : new int[] {0, 7, all.length / width - 1}) {
        table.row(token, row, 1);
        assertThat(Arrays.copyOfRange(row, 1, width + 1))
            .isEqualTo(Arrays.copyOfRange(all, token * width, (token + 1) * width));
      }
      assertThatIllegalArgumentException().isThrownBy(() -> table.row(-1, row, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> table.row(all.length / width, row, 0));
    }
  }
}
