package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models with recurrent states, whose memory cannot forget a part: whatever is changed in a
 * conversation, it goes on as in a fresh context, and from a checkpoint instead of from its start.
 */
class HybridSessionTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);
  private static final GenerationOptions FORTY = TEN.withMaxTokens(40);

  private static final String SYSTEM =
      "You are asked about many things, and answer each of them in a few words, or say that you do not know it.";

  @TempDir static Path directory;

  static Stream<String> models() {
    return HybridModels.NAMES.stream();
  }

  private static LoadOptions options(String model) throws IOException {
    return HybridModels.options(directory, model);
  }

  private static Message question(VisionLanguageModel model, String text) throws IOException {
    return HybridModels.question(model, text);
  }

  /** The answer of a session in which nothing stands yet. */
  private static int[] fresh(VisionLanguageModel model, List<Message> messages) {
    try (ChatSession chat = model.newChat()) {
      Answer answer = chat.complete(messages, TEN, AnswerListener.NONE);
      assertThat(answer.usage().cachedTokens()).isZero();
      return answer.tokens();
    }
  }

  private static void assertAsFresh(VisionLanguageModel model, ChatSession chat, Answer answer) {
    List<Message> history = chat.history();
    assertThat(answer.tokens()).isEqualTo(fresh(model, history.subList(0, history.size() - 1)));
  }

  private static void talk(VisionLanguageModel model, ChatSession chat) throws IOException {
    chat.setHistory(List.of(Message.system(SYSTEM)));
    chat.send(
        question(model, "What is this thing over there, and what is it for?"),
        FORTY,
        AnswerListener.NONE);
    chat.send(
        Message.user("And which colour does it have, would you say?"), FORTY, AnswerListener.NONE);
  }

  private static Answer send(ChatSession chat, String text) {
    return chat.send(Message.user(text), TEN, AnswerListener.NONE);
  }

  @ParameterizedTest
  @MethodSource("models")
  void undoComputesFromABorder(String name) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      talk(model, chat);
      assertThat(chat.undo()).isTrue();
      Answer answer = send(chat, "How large is it?");
      assertAsFresh(model, chat, answer);
      assertThat(answer.usage().cachedTokens())
          .as("all but the last message and a border")
          .isGreaterThan(answer.usage().promptTokens() * 2 / 3);
      assertThat(chat.checkpointBytes()).isPositive();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void editOfTheFirstQuestionKeepsTheSystemMessage(String name) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      talk(model, chat);
      chat.edit(1, question(model, "Who painted it, and when?"));
      Answer answer = chat.regenerate(TEN, AnswerListener.NONE);
      assertAsFresh(model, chat, answer);
      assertThat(answer.usage().cachedTokens()).isGreaterThan(20);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void regenerationDoesNotComputeTheQuestion(String name) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      talk(model, chat);
      Answer answer = chat.regenerate(TEN, AnswerListener.NONE);
      assertAsFresh(model, chat, answer);
      assertThat(answer.usage().promptTokens() - answer.usage().cachedTokens()).isLessThan(40);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void stopStringsAndCancellationLeaveAKnownState(String name) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      chat.setHistory(List.of(Message.system(SYSTEM)));
      Answer whole = chat.send(question(model, "What is this?"), FORTY, AnswerListener.NONE);
      String text = whole.rawText();
      assertThat(text.length()).isGreaterThan(8);
      String stop = text.substring(text.length() / 2, text.length() / 2 + 2);
      Answer stopped = chat.regenerate(FORTY.withStop(List.of(stop)), AnswerListener.NONE);
      assertThat(stopped.stopReason()).isEqualTo(StopReason.STOP_STRING);
      assertAsFresh(model, chat, send(chat, "And then?"));

      Answer cancelled = chat.send(Message.user("Tell me more."), FORTY, new Cancelling(chat, 3));
      assertThat(cancelled.stopReason()).isEqualTo(StopReason.CANCELLED);
      Answer answer = send(chat, "Go on.");
      assertAsFresh(model, chat, answer);
      assertThat(answer.usage().cachedTokens()).isPositive();
    }
  }

  /** Cancels at a piece of the answer, be it text or reasoning. */
  private static final class Cancelling implements AnswerListener {
    private final ChatSession chat;
    private int left;

    Cancelling(ChatSession chat, int left) {
      this.chat = chat;
      this.left = left;
    }

    @Override
    public void onText(String text) {
      if (--left == 0) {
        chat.cancel();
      }
    }

    @Override
    public void onReasoning(String text) {
      onText(text);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void rejectedDraftTokensAreTakenBack(String name) throws IOException {
    LoadOptions plain = options(name);
    SessionOptions defaults = SessionOptions.defaults();
    Speculation sure = Speculation.byModel(plain.model()).withMinProbability(0);
    List<Speculation> all =
        List.of(Speculation.byLookup(), sure, sure.withDraftMax(1), sure.withDraftMax(16));
    List<int[]> expected = new ArrayList<>();
    try (VisionLanguageModel model = VisionLanguageModel.open(plain);
        ChatSession chat = model.newChat()) {
      for (Answer answer : conversation(model, chat)) {
        expected.add(answer.tokens());
      }
    }
    for (Speculation speculation : all) {
      SessionOptions sessions = defaults.withSpeculation(speculation);
      try (VisionLanguageModel model = VisionLanguageModel.open(plain.withSessions(sessions));
          ChatSession chat = model.newChat()) {
        List<Answer> answers = conversation(model, chat);
        for (int i = 0; i < answers.size(); i++) {
          assertThat(answers.get(i).tokens())
              .as("%s %d", speculation, i)
              .isEqualTo(expected.get(i));
        }
        if (speculation.draftModel() != null) {
          assertThat(answers.getFirst().usage().drafts().drafted()).isPositive();
        }
      }
    }
  }

  private static List<Answer> conversation(VisionLanguageModel model, ChatSession chat)
      throws IOException {
    List<Answer> answers = new ArrayList<>();
    Message first = question(model, "one two three four one two three four one two");
    answers.add(chat.send(first, FORTY, AnswerListener.NONE));
    answers.add(chat.send(Message.user("And now?"), FORTY, AnswerListener.NONE));
    answers.add(chat.regenerate(FORTY, AnswerListener.NONE));
    return answers;
  }

  @Test
  void memoryIsBounded() throws IOException {
    LoadOptions plain = options("qwen3.5");
    long one;
    try (VisionLanguageModel model = VisionLanguageModel.open(plain);
        ChatSession chat = model.newChat()) {
      send(chat, "A question that is long enough for a checkpoint behind it, but no more.");
      one = chat.checkpointBytes();
      for (int i = 0; i < 6; i++) {
        send(chat, "Another question, number " + i + ", of some length.");
      }
      assertThat(chat.checkpointBytes())
          .isGreaterThan(6 * one)
          .isEqualTo(chat.checkpointBytes() / one * one);
    }
    for (long limit : new long[] {0, one - 1, 3 * one, 3 * one + 1}) {
      SessionOptions sessions = SessionOptions.defaults().withCheckpointBytes(limit);
      try (VisionLanguageModel model = VisionLanguageModel.open(plain.withSessions(sessions));
          ChatSession chat = model.newChat()) {
        for (int i = 0; i < 6; i++) {
          send(chat, "Another question, number " + i + ", of some length.");
          assertThat(chat.checkpointBytes()).isLessThanOrEqualTo(limit);
        }
        chat.undo();
        assertAsFresh(model, chat, send(chat, "Changed."));
      }
    }
  }
}
