package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.ModelMismatchException;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Draft tokens change how fast an answer comes, and nothing else. */
class SpeculationTest {
  private static final GenerationOptions GREEDY =
      GenerationOptions.greedy().withMaxTokens(60).withIgnoreEos(true);

  @TempDir Path directory;

  private static LoadOptions with(Speculation speculation) {
    return Golden.options().withSessions(SessionOptions.defaults().withSpeculation(speculation));
  }

  private static List<Answer> conversation(LoadOptions options, GenerationOptions generation)
      throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      List<Answer> answers = new ArrayList<>();
      Message first =
          Message.user("one two three four one two three four", Golden.image("exact_56x56.png"));
      answers.add(chat.send(first, generation, AnswerListener.NONE));
      answers.add(chat.send(Message.user("And now?"), generation, AnswerListener.NONE));
      return answers;
    }
  }

  private static void assertSameTokens(Speculation speculation, GenerationOptions generation)
      throws IOException {
    List<Answer> plain = conversation(Golden.options(), generation);
    List<Answer> drafted = conversation(with(speculation), generation);
    for (int i = 0; i < plain.size(); i++) {
      assertThat(drafted.get(i).tokens()).as("answer %d", i).isEqualTo(plain.get(i).tokens());
      assertThat(drafted.get(i).rawText()).isEqualTo(plain.get(i).rawText());
      assertThat(plain.get(i).usage().drafts()).isEqualTo(DraftUse.NONE);
    }
  }

  @Test
  void lookupGivesTheSameGreedyTokens() throws IOException {
    assertSameTokens(Speculation.byLookup(), GREEDY);
    assertSameTokens(Speculation.byLookup().withDraftMax(3), GREEDY);
  }

  @Test
  void lookupGivesTheSameSampledTokensWithTheSameSeed() throws IOException {
    SamplingOptions sampling =
        SamplingOptions.builder().seed(7).temperature(0.7f).topK(3).repeatPenalty(1.3f).build();
    assertSameTokens(Speculation.byLookup(), GREEDY.withSampling(sampling));
  }

  @Test
  void aDraftModelGivesTheSameGreedyTokens() throws IOException {
    Speculation unsure = Speculation.byModel(Golden.TEXT).withMinProbability(0);
    assertSameTokens(unsure, GREEDY);
    assertSameTokens(unsure.withDraftMax(1), GREEDY);
    assertSameTokens(unsure.withDraftMax(32), GREEDY);
  }

  @Test
  void acceptsEverythingThatTheModelItselfGuesses() throws IOException {
    // the draft model sees no images, so this holds for text alone
    LoadOptions options = with(Speculation.byModel(Golden.TEXT).withMinProbability(0));
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      Answer answer = chat.send(Message.user("Hello"), GREEDY, AnswerListener.NONE);
      DraftUse drafts = answer.usage().drafts();
      assertThat(drafts.accepted()).isGreaterThan(40);
      assertThat(drafts.accepted()).isGreaterThan(drafts.drafted() * 9 / 10);
    }
  }

  @Test
  void leavesNothingOfAWrongGuessBehind() throws IOException {
    LoadOptions options = with(Speculation.byModel(Golden.TEXT).withMinProbability(0));
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      Message question = Message.user("What is it?", Golden.image("exact_56x56.png"));
      for (int n = 1; n < 20; n++) {
        chat.clear();
        Answer answer = chat.send(question, GREEDY.withMaxTokens(n), AnswerListener.NONE);
        // the last token of an answer is not computed any more
        assertThat(chat.contextUsed()).isEqualTo(answer.usage().totalTokens() - 1);
      }
    }
  }

  @Test
  void endsWhereTheContextIsFull() throws IOException {
    for (Speculation speculation :
        List.of(Speculation.byLookup(), Speculation.byModel(Golden.TEXT).withMinProbability(0))) {
      try (VisionLanguageModel model = VisionLanguageModel.open(with(speculation));
          ChatSession chat = model.newChat()) {
        Answer answer =
            chat.send(Message.user("Hello"), GREEDY.withMaxTokens(-1), AnswerListener.NONE);
        assertThat(answer.stopReason()).isEqualTo(StopReason.CONTEXT);
        assertThat(chat.contextUsed()).isEqualTo(chat.contextSize());
      }
    }
  }

  @Test
  void refusesADraftModelOfAnotherVocabulary() throws IOException {
    Path other = TinyTextModel.write(directory.resolve("draft.gguf"), "gemma");
    assertThatThrownBy(() -> VisionLanguageModel.open(with(Speculation.byModel(other))))
        .isInstanceOf(ModelMismatchException.class)
        .hasMessageContaining("draft.gguf")
        .extracting(e -> ((SettingsRelated) e).settings().getFirst())
        .isEqualTo(Setting.DRAFT_MODEL);
  }

  @Test
  void refusesValuesOutOfRange() {
    assertThatThrownBy(() -> Speculation.byLookup().withDraftMax(0))
        .isInstanceOf(IllegalArgumentException.class)
        .extracting(e -> ((SettingsRelated) e).settings().getFirst())
        .isEqualTo(Setting.DRAFT_MAX);
    assertThatThrownBy(() -> Speculation.byLookup().withMinProbability(Float.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Speculation(true, Golden.TEXT, 8, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
