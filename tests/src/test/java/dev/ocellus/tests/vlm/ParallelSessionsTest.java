package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sessions that answer at the same time, in one context. */
@Timeout(120)
class ParallelSessionsTest {
  private static final GenerationOptions FORTY =
      GenerationOptions.greedy().withMaxTokens(40).withIgnoreEos(true);
  private static final GenerationOptions ENDLESS = GenerationOptions.greedy().withIgnoreEos(true);

  /**
   * Difference of two log probabilities below which rounding decides: keys and values are F16, and
   * other batches mean other kernels. Up to 4e-3 was measured, with AVX-512 FP16.
   */
  private static final float TIE = 1e-2f;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stop() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  private static LoadOptions parallel(int n) {
    return Golden.options().withSessions(SessionOptions.defaults().withParallel(n));
  }

  /** Texts of several lengths, with and without images, so that all kinds of steps occur. */
  private static List<Message> questions() throws IOException {
    return List.of(
        Message.user("What is it?", Golden.image("exact_56x56.png")),
        Message.user("Hello"),
        Message.user("word ".repeat(80) + "?"),
        Message.user("And this?", Golden.image("odd_97x61.png"), Golden.image("gray_120x90.png")),
        Message.user("word ".repeat(20) + "!", Golden.image("exact_56x56.png")));
  }

  private static Answer alone(VisionLanguageModel model, Message question) {
    try (ChatSession chat = model.newChat()) {
      return chat.send(question, FORTY.withLogProbs(2), AnswerListener.NONE);
    }
  }

  /**
   * Equal tokens, up to a place where the two likeliest are as good as equal: other rows in a batch
   * mean other kernels, which sum in another order.
   */
  private static void assertSame(Answer together, Answer alone, String question) {
    int k = Arrays.mismatch(together.tokens(), alone.tokens());
    if (k < 0) {
      return;
    }
    assertThat(k).as(question).isLessThan(alone.tokens().length);
    List<TopLogProbs.Entry> top = alone.parts().logProbs().get(k).top();
    assertThat(top.get(0).logProb() - top.get(1).logProb())
        .as("%s, token %d: how much likelier the one alone is", question, k)
        .isLessThan(TIE);
    assertThat(together.tokens()[k]).as(question).isEqualTo(top.get(1).token());
  }

  private CompletableFuture<Answer> ask(ChatSession chat, Message question) {
    return CompletableFuture.supplyAsync(
        () -> chat.send(question, FORTY, AnswerListener.NONE), threads);
  }

  private void assertSameAsAlone(LoadOptions options) throws IOException {
    List<Answer> expected = new ArrayList<>();
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options())) {
      for (Message question : questions()) {
        expected.add(alone(model, question));
      }
    }
    try (VisionLanguageModel model = VisionLanguageModel.open(options)) {
      List<ChatSession> chats = new ArrayList<>();
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (Message question : questions()) {
        chats.add(model.newChat());
        answers.add(ask(chats.getLast(), question));
      }
      for (int i = 0; i < answers.size(); i++) {
        assertSame(answers.get(i).join(), expected.get(i), "question " + i);
      }
      chats.forEach(ChatSession::close);
    }
  }

  @Test
  void answerTogetherAsTheyWouldAlone() throws IOException {
    assertSameAsAlone(parallel(5));
  }

  @Test
  void answerTheSameWithSmallBatches() throws IOException {
    assertSameAsAlone(parallel(5).withContextOptions(Golden.context(512).withBatch(32, 8)));
  }

  @Test
  void waitForAPlaceWhenThereAreMoreOfThem() throws IOException {
    assertSameAsAlone(parallel(2));
  }

  @Test
  void answerTogetherWhatIsGuessed() throws IOException {
    assertSameAsAlone(
        Golden.options()
            .withSessions(
                SessionOptions.defaults().withParallel(5).withSpeculation(Speculation.byLookup())));
  }

  @Test
  void findTheirConversationsAgain() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(parallel(3));
        ChatSession one = model.newChat();
        ChatSession two = model.newChat()) {
      ask(one, questions().getFirst()).join();
      ask(two, questions().get(1)).join();
      Answer again = ask(one, Message.user("And now?")).join();
      assertThat(again.usage().cachedTokens()).isGreaterThan(40);
      assertThat(again.usage().images().encoded()).isZero();
      assertThat(one.contextUsed()).isGreaterThan(two.contextUsed());
    }
  }

  @Test
  void loseTheirPlaceToThoseThatNeedItAndAnswerTheSame() throws IOException {
    int[] expected;
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      chat.send(questions().getFirst(), FORTY, AnswerListener.NONE);
      expected = chat.send(Message.user("And now?"), FORTY, AnswerListener.NONE).tokens();
    }
    try (VisionLanguageModel model = VisionLanguageModel.open(parallel(2));
        ChatSession one = model.newChat();
        ChatSession two = model.newChat();
        ChatSession three = model.newChat()) {
      ask(one, questions().getFirst()).join();
      ask(two, questions().get(1)).join();
      ask(three, questions().get(2)).join(); // takes the place of the first
      assertThat(one.contextUsed()).isZero();
      Answer again = ask(one, Message.user("And now?")).join();
      assertThat(again.tokens()).isEqualTo(expected);
      assertThat(again.usage().images().encoded()).isZero(); // the image is in memory
    }
  }

  @Test
  void cancelOneAndLetTheOthersGoOn() throws Exception {
    try (VisionLanguageModel model = VisionLanguageModel.open(parallel(3));
        ChatSession endless = model.newChat();
        ChatSession other = model.newChat()) {
      CountDownLatch started = new CountDownLatch(1);
      CompletableFuture<Answer> running =
          CompletableFuture.supplyAsync(
              () ->
                  endless.send(
                      Message.user("Hello"),
                      ENDLESS,
                      text -> {
                        started.countDown();
                        pause(); // a tiny model would be done before it is cancelled
                      }),
              threads);
      started.await();
      CompletableFuture<Answer> answer = ask(other, questions().getFirst());
      endless.cancel();
      assertThat(running.get().stopReason()).isEqualTo(StopReason.CANCELLED);
      assertThat(answer.get().tokens()).hasSize(40);
      assertThat(ask(endless, Message.user("Again")).get().tokens()).hasSize(40);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void stopWaitingForAPlaceWhenCancelled() throws Exception {
    try (VisionLanguageModel model = VisionLanguageModel.open(parallel(2))) {
      List<ChatSession> busy = List.of(model.newChat(), model.newChat());
      CountDownLatch started = new CountDownLatch(2);
      for (ChatSession chat : busy) {
        CompletableFuture.runAsync(
            () ->
                chat.send(
                    Message.user("Hello"),
                    ENDLESS,
                    text -> {
                      started.countDown();
                      pause();
                    }),
            threads);
      }
      started.await();
      try (ChatSession third = model.newChat()) {
        CompletableFuture<Answer> waiting = ask(third, Message.user("Me too"));
        TimeUnit.MILLISECONDS.sleep(50);
        third.cancel();
        assertThat(waiting.get().stopReason()).isEqualTo(StopReason.CANCELLED);
      }
      busy.forEach(ChatSession::close);
    }
  }

  @Test
  void doNotWaitForOneThatIsSlowToTakeItsText() throws Exception {
    try (VisionLanguageModel model = VisionLanguageModel.open(parallel(2));
        ChatSession slow = model.newChat();
        ChatSession quick = model.newChat()) {
      CountDownLatch inListener = new CountDownLatch(1);
      CountDownLatch release = new CountDownLatch(1);
      CompletableFuture<Answer> held =
          CompletableFuture.supplyAsync(
              () ->
                  slow.send(
                      Message.user("Hello"),
                      FORTY,
                      text -> {
                        inListener.countDown();
                        awaitQuietly(release);
                      }),
              threads);
      inListener.await();
      assertThat(ask(quick, questions().getFirst()).get(60, TimeUnit.SECONDS).tokens()).hasSize(40);
      assertThat(held).isNotDone();
      release.countDown();
      assertThat(held.get().tokens()).hasSize(40);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void endWithAnExceptionWhenTheModelIsClosed() throws Exception {
    VisionLanguageModel model = VisionLanguageModel.open(parallel(2));
    ChatSession chat = model.newChat();
    CountDownLatch started = new CountDownLatch(1);
    AtomicReference<Object> end = new AtomicReference<>();
    CompletableFuture<Void> running =
        CompletableFuture.runAsync(
            () -> {
              try {
                end.set(
                    chat.send(
                        Message.user("Hello"),
                        ENDLESS,
                        text -> {
                          started.countDown();
                          pause();
                        }));
              } catch (RuntimeException e) {
                end.set(e);
              }
            },
            threads);
    started.await();
    model.close();
    running.get();
    assertThat(end.get() instanceof Answer || end.get() instanceof IllegalStateException)
        .as("%s", end.get())
        .isTrue();
    assertThatThrownBy(() -> chat.send(Message.user("Still there?")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(model::newChat).isInstanceOf(IllegalStateException.class);
  }
}
