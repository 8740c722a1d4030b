package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChatSessionTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);
  private static final GenerationOptions ENDLESS = GenerationOptions.greedy().withIgnoreEos(true);

  private static VisionLanguageModel model;

  @BeforeAll
  static void load() throws IOException {
    model = VisionLanguageModel.open(Golden.options());
  }

  @AfterAll
  static void free() {
    model.close();
  }

  @Test
  void answersAndRemembers() throws IOException {
    try (ChatSession chat = model.newChat()) {
      Message question = Message.user("What is it?", Golden.image("exact_56x56.png"));
      Answer answer = chat.send(question, TEN, AnswerListener.NONE);
      assertThat(answer.tokens()).hasSize(10);
      assertThat(answer.stopReason()).isEqualTo(StopReason.LENGTH);
      assertThat(answer.usage().imageTokens()).isEqualTo(16);
      assertThat(answer.promptTokens()).hasSize(answer.usage().promptTokens());
      assertThat(chat.history()).containsExactly(question, Message.assistant(answer.content()));
    }
  }

  @Test
  void computesOnlyWhatIsNewInASecondTurn() throws IOException {
    try (ChatSession chat = model.newChat()) {
      chat.send(
          Message.user("What is it?", Golden.image("exact_56x56.png")), TEN, AnswerListener.NONE);
      Answer second = chat.send(Message.user("And now?"), TEN, AnswerListener.NONE);
      assertThat(second.usage().cachedTokens()).isGreaterThan(30);
      assertThat(second.timings().encode().tokens()).isZero();
      assertThat(second.timings().prefill().tokens())
          .isEqualTo(second.usage().promptTokens() - second.usage().cachedTokens());
    }
  }

  @Test
  void answersTheSameWithAndWithoutReuse() throws IOException {
    Message first = Message.user("What is it?", Golden.image("exact_56x56.png"));
    Message second = Message.user("And now?");
    List<Message> history;
    Answer reused;
    try (ChatSession chat = model.newChat()) {
      chat.send(first, TEN, AnswerListener.NONE);
      history = chat.history();
      reused = chat.send(second, TEN, AnswerListener.NONE);
    }
    try (ChatSession chat = model.newChat()) {
      chat.setHistory(history);
      Answer fresh = chat.send(second, TEN, AnswerListener.NONE);
      assertThat(fresh.usage().cachedTokens()).isZero();
      assertThat(fresh.tokens()).isEqualTo(reused.tokens());
    }
  }

  @Test
  void answersTheSameForEveryBatchSize() throws IOException {
    Message question = Message.user("What is it?", Golden.image("exact_56x56.png"));
    int[] expected;
    try (ChatSession chat = model.newChat()) {
      expected = chat.send(question, TEN, AnswerListener.NONE).tokens();
    }
    for (int[] sizes : new int[][] {{1, 1}, {7, 3}, {5, 16}, {64, 8}}) {
      ContextOptions options = Golden.context(256).withBatch(sizes[0], sizes[1]);
      try (VisionLanguageModel other =
              VisionLanguageModel.open(Golden.options().withContextOptions(options));
          ChatSession chat = other.newChat()) {
        assertThat(chat.send(question, TEN, AnswerListener.NONE).tokens())
            .as("batch %d, micro-batch %d", sizes[0], sizes[1])
            .isEqualTo(expected);
      }
    }
  }

  @Test
  void streamsTheTextOfTheAnswer() {
    try (ChatSession chat = model.newChat()) {
      StringBuilder streamed = new StringBuilder();
      Answer answer = chat.send(Message.user("Hello"), TEN, streamed::append);
      assertThat(streamed).hasToString(answer.rawText());
    }
  }

  @Test
  void stopsAtAStopString() {
    try (ChatSession chat = model.newChat()) {
      String whole = chat.send(Message.user("Hello"), TEN, AnswerListener.NONE).rawText();
      String stop = whole.substring(3, 5);
      chat.clear();
      Answer answer =
          chat.send(Message.user("Hello"), TEN.withStop(List.of(stop)), AnswerListener.NONE);
      assertThat(answer.stopReason()).isEqualTo(StopReason.STOP_STRING);
      assertThat(answer.rawText()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
    }
  }

  @Test
  void stopsWithinATokenWhenCancelled() {
    try (ChatSession chat = model.newChat()) {
      int[] pieces = {0};
      Answer answer =
          chat.send(
              Message.user("Hello"),
              ENDLESS,
              text -> {
                if (++pieces[0] == 3) {
                  chat.cancel();
                }
              });
      assertThat(answer.stopReason()).isEqualTo(StopReason.CANCELLED);
      assertThat(answer.tokens().length).isLessThan(64);
      assertThat(chat.send(Message.user("Again"), TEN, AnswerListener.NONE).tokens()).hasSize(10);
    }
  }

  @Test
  void endsWhereTheContextIsFull() {
    try (ChatSession chat = model.newChat()) {
      Answer answer = chat.send(Message.user("Hello"), ENDLESS, AnswerListener.NONE);
      assertThat(answer.stopReason()).isEqualTo(StopReason.CONTEXT);
      assertThat(chat.contextUsed()).isEqualTo(chat.contextSize());
    }
  }

  @Test
  void refusesAConversationThatDoesNotFitAndForgetsIt() {
    try (ChatSession chat = model.newChat()) {
      Message tooLong = Message.user("word ".repeat(2000));
      assertThatThrownBy(() -> chat.send(tooLong, TEN, AnswerListener.NONE))
          .isInstanceOf(ContextOverflowException.class)
          .hasMessageContaining("512")
          .extracting(e -> ((SettingsRelated) e).settings().getFirst())
          .isEqualTo(Setting.CONTEXT_SIZE);
      assertThat(chat.history()).isEmpty();
      assertThat(chat.send(Message.user("Hello"), TEN, AnswerListener.NONE).tokens()).hasSize(10);
    }
  }

  @Test
  void letsOneCallerInAtATime() throws Exception {
    try (ChatSession chat = model.newChat()) {
      CountDownLatch started = new CountDownLatch(1);
      CompletableFuture<Answer> running =
          CompletableFuture.supplyAsync(
              () -> chat.send(Message.user("Hello"), ENDLESS, text -> started.countDown()));
      started.await();
      assertThatThrownBy(() -> chat.send(Message.user("Me too")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("another thread");
      chat.cancel();
      assertThat(running.get().stopReason())
          .isIn(StopReason.CANCELLED, StopReason.CONTEXT); // a tiny model may be faster
    }
  }

  @Test
  void closesWhileItAnswers() throws Exception {
    ChatSession chat = model.newChat();
    CountDownLatch started = new CountDownLatch(1);
    CompletableFuture<Object> running =
        CompletableFuture.supplyAsync(() -> {
          try {
            return chat.send(Message.user("Hello"), ENDLESS, text -> started.countDown());
          } catch (RuntimeException e) {
            return e;
          }
        });
    started.await();
    chat.close();
    Object end = running.get();
    assertThat(end instanceof Answer || end instanceof IllegalStateException).isTrue();
    assertThatThrownBy(() -> chat.send(Message.user("Still there?")))
        .isInstanceOf(IllegalStateException.class);
    chat.close();
  }

  @Test
  void takesBackATurn() {
    try (ChatSession chat = model.newChat()) {
      chat.send(Message.user("One"), TEN, AnswerListener.NONE);
      List<Message> before = chat.history();
      chat.send(Message.user("Two"), TEN, AnswerListener.NONE);
      assertThat(chat.undo()).isTrue();
      assertThat(chat.history()).isEqualTo(before);
      assertThat(chat.undo()).isTrue();
      assertThat(chat.undo()).isFalse();
    }
  }

  @Test
  void refusesImagesWithoutAnEncoder() throws IOException {
    try (VisionLanguageModel text =
            VisionLanguageModel.open(
                LoadOptions.of(Golden.TEXT).withContextOptions(Golden.context(256)));
        ChatSession chat = text.newChat()) {
      Message message =
          new Message(
              Role.USER, List.of(new Content.Image(Golden.image("exact_56x56.png"), "x.png")));
      assertThatThrownBy(() -> chat.send(message))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("mmproj");
    }
  }

  @Test
  void closesItsSessionsWithTheModel() throws IOException {
    VisionLanguageModel other = VisionLanguageModel.open(Golden.options());
    ChatSession chat = other.newChat();
    chat.send(Message.user("Hello"), TEN, AnswerListener.NONE);
    other.close();
    other.close();
    assertThatThrownBy(() -> chat.send(Message.user("Hello")))
        .isInstanceOf(IllegalStateException.class);
    chat.close();
  }
}
