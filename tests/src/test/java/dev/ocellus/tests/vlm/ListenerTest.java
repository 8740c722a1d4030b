package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Listeners that call the session whose answer they are told of, and listeners that throw. */
@Timeout(120)
class ListenerTest {
  private static final GenerationOptions TWELVE =
      GenerationOptions.greedy().withMaxTokens(12).withIgnoreEos(true);

  private interface Call {
    void run() throws Exception;
  }

  private static VisionLanguageModel open(int parallel) throws IOException {
    return VisionLanguageModel.open(
        Golden.options()
            .withSessions(
                SessionOptions.defaults()
                    .withParallel(parallel)
                    .withSpeculation(Speculation.byLookup())));
  }

  private static Message question() throws IOException {
    return Message.user("What is it?", Golden.image("exact_56x56.png"));
  }

  private static Map<String, Call> calls(ChatSession chat, Path folder) throws IOException {
    Path saved = folder.resolve("before.session");
    chat.save(saved);
    Map<String, Call> calls = new LinkedHashMap<>();
    calls.put("send", () -> chat.send(Message.user("Something else"), TWELVE, AnswerListener.NONE));
    calls.put(
        "complete",
        () -> chat.complete(List.of(Message.user("Cats")), TWELVE, AnswerListener.NONE));
    calls.put("regenerate", () -> chat.regenerate(TWELVE, AnswerListener.NONE));
    calls.put("edit", () -> chat.edit(0, Message.user("Edited")));
    calls.put("undo", chat::undo);
    calls.put("add", () -> chat.add(Message.user("Added")));
    calls.put("clear", chat::clear);
    calls.put("setHistory", () -> chat.setHistory(List.of(Message.user("Other"))));
    calls.put("save", () -> chat.save(folder.resolve("inside.session")));
    calls.put("restore", () -> chat.restore(saved));
    return calls;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void cannotCallTheSessionOfTheirAnswer(int parallel, @TempDir Path folder) throws Exception {
    try (VisionLanguageModel model = open(parallel);
        ChatSession undisturbed = model.newChat();
        ChatSession chat = model.newChat()) {
      undisturbed.send(Message.user("Hello"), TWELVE, AnswerListener.NONE);
      chat.send(Message.user("Hello"), TWELVE, AnswerListener.NONE);
      for (Map.Entry<String, Call> call : calls(chat, folder).entrySet()) {
        Answer expected = undisturbed.send(question(), TWELVE, AnswerListener.NONE);
        List<Message> before = chat.history();
        AtomicReference<Throwable> refusal = new AtomicReference<>();
        Answer answer =
            chat.send(
                question(),
                TWELVE,
                text -> {
                  if (refusal.get() == null) {
                    refusal.set(catchThrowable(() -> call.getValue().run()));
                    assertThat(chat.history()).isEqualTo(before);
                  }
                });
        assertThat(refusal.get())
            .as(call.getKey())
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("listener");
        assertThat(answer.tokens()).as(call.getKey()).isEqualTo(expected.tokens());
        assertThat(chat.history()).as(call.getKey()).isEqualTo(undisturbed.history());
        chat.undo();
        undisturbed.undo();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void mayCloseTheSessionOfTheirAnswer(int parallel) throws IOException {
    try (VisionLanguageModel model = open(parallel)) {
      ChatSession chat = model.newChat();
      Answer answer = chat.send(question(), TWELVE, text -> chat.close());
      assertThat(answer.stopReason()).isEqualTo(StopReason.CANCELLED);
      assertThat(answer.tokens()).hasSizeLessThan(12);
      assertThat(chat.history()).containsExactly(question(), answer.message());
      assertThatThrownBy(() -> chat.send(Message.user("Still there?")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      chat.close();
      try (ChatSession next = model.newChat()) {
        assertThat(next.send(question(), TWELVE, AnswerListener.NONE).tokens()).hasSize(12);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void mayCloseTheModel(int parallel) throws IOException {
    VisionLanguageModel model = open(parallel);
    ChatSession chat = model.newChat();
    assertThatThrownBy(() -> chat.send(question(), TWELVE, text -> model.close()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThat(chat.history()).isEmpty();
    assertThatThrownBy(() -> chat.send(Message.user("Still there?")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    chat.close();
  }

  @Test
  void askOtherSessionsAsLongAsSequencesAreFree() throws IOException {
    try (VisionLanguageModel model = open(2);
        ChatSession first = model.newChat();
        ChatSession second = model.newChat();
        ChatSession third = model.newChat()) {
      Answer expected = second.send(Message.user("Hello"), TWELVE, AnswerListener.NONE);
      second.clear();
      AtomicReference<Answer> inner = new AtomicReference<>();
      AtomicReference<Throwable> refusal = new AtomicReference<>();
      AnswerListener innermost =
          text -> {
            if (refusal.get() == null) {
              refusal.set(catchThrowable(() -> third.send(Message.user("And you?"))));
            }
          };
      Answer outer =
          first.send(
              question(),
              TWELVE,
              text -> {
                if (inner.get() == null) {
                  inner.set(second.send(Message.user("Hello"), TWELVE, innermost));
                }
              });
      assertThat(outer.tokens()).hasSize(12);
      assertThat(inner.get().tokens()).isEqualTo(expected.tokens());
      assertThat(refusal.get())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("parallel sequences");
      assertThat(third.send(Message.user("And you?"), TWELVE, AnswerListener.NONE).tokens())
          .hasSize(12);
    }
  }

  /** Throws in the call of a number, whichever it is. */
  private static final class Throwing implements AnswerListener {
    private final int last;
    private final Supplier<Throwable> failure;
    private int calls;

    Throwing(int last, Supplier<Throwable> failure) {
      this.last = last;
      this.failure = failure;
    }

    private void call() {
      if (calls++ == last) {
        throwUnchecked(failure.get());
      }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> void throwUnchecked(Throwable e) throws E {
      throw (E) e;
    }

    @Override
    public void onText(String text) {
      call();
    }

    @Override
    public void onPrefill(double share) {
      call();
    }
  }

  private static void assertGoesOn(int parallel, Supplier<Throwable> failure) throws IOException {
    try (VisionLanguageModel model = open(parallel);
        ChatSession undisturbed = model.newChat();
        ChatSession chat = model.newChat()) {
      undisturbed.send(Message.user("Hello"), TWELVE, AnswerListener.NONE);
      chat.send(Message.user("Hello"), TWELVE, AnswerListener.NONE);
      Answer expected = undisturbed.send(question(), TWELVE, AnswerListener.NONE);
      List<Message> before = chat.history();
      Throwable thrown;
      int call = 0;
      do {
        Throwable wanted = failure.get();
        var listener = new Throwing(call++, () -> wanted);
        thrown = catchThrowable(() -> chat.send(question(), TWELVE, listener));
        if (thrown != null) {
          assertThat(thrown).isSameAs(wanted);
          assertThat(chat.history()).isEqualTo(before);
        }
      } while (thrown != null);
      assertThat(call).isGreaterThan(4);
      Answer again = chat.regenerate(TWELVE, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(expected.tokens());
      assertThat(again.promptTokens()).isEqualTo(expected.promptTokens());
      assertThat(chat.history()).isEqualTo(undisturbed.history());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void mayThrowExceptions(int parallel) throws IOException {
    assertGoesOn(parallel, () -> new IllegalArgumentException("the listener's"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void mayThrowErrors(int parallel) throws IOException {
    assertGoesOn(parallel, () -> new OutOfMemoryError("the listener's"));
  }
}
