package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.SessionPool;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.options.LoadOptions;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Which session a conversation gets. Nothing is decoded here. */
class SessionPoolTest {
  private static VisionLanguageModel model;

  @BeforeAll
  static void load() throws Exception {
    LoadOptions files = DemoModel.files();
    model = VisionLanguageModel.open(files.withSessions(files.sessions().withParallel(2)));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static RgbImage image(int red) {
    return RgbImage.filled(8, 8, new Rgb(red, 0, 0));
  }

  private static Message question(int red) {
    return Message.user("What is this?", image(red));
  }

  /** Has a turn without a model; gives the session that it was in. */
  private static ChatSession turn(SessionPool pool, Message... said) {
    return pool.use(
        List.of(said),
        session -> {
          assertThat(session.history()).isEmpty();
          session.setHistory(List.of(said));
          session.add(Message.assistant("yes"));
          return session;
        });
  }

  @Test
  void aConversationThatGoesOnFindsItsSession() {
    try (var pool = new SessionPool(model)) {
      ChatSession first = turn(pool, question(1));
      ChatSession second = turn(pool, question(2));
      assertThat(second).isNotSameAs(first);
      Message yes = Message.assistant("yes");
      assertThat(turn(pool, question(1), yes, Message.user("Why?"))).isSameAs(first);
      assertThat(turn(pool, question(2), yes, Message.user("Why?"))).isSameAs(second);
      // an edited question shares nothing, so whoever was used longest ago makes room
      assertThat(turn(pool, question(3))).isSameAs(first);
    }
  }

  @Test
  void keepsNoMessages() {
    try (var pool = new SessionPool(model)) {
      assertThat(turn(pool, question(1)).history()).isEmpty();
    }
  }

  @Test
  void aTurnThatFailsIsFoundAgain() {
    try (var pool = new SessionPool(model)) {
      var failed = new ChatSession[1];
      assertThatThrownBy(() ->
              pool.use(
                  List.of(question(1)),
                  session -> {
                    failed[0] = session;
                    throw new IllegalStateException("no");
                  }))
          .hasMessage("no");
      turn(pool, question(2));
      assertThat(turn(pool, question(1))).isSameAs(failed[0]);
    }
  }

  @Test
  void asManyRunAsAreDecodedTogether() throws Exception {
    try (var pool = new SessionPool(model);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThat(pool.size()).isEqualTo(2);
      var inside = new CountDownLatch(2);
      var leave = new CountDownLatch(1);
      for (int i = 0; i < 2; i++) {
        Message said = question(i);
        Future<?> unused =
            threads.submit(() ->
                pool.use(
                    List.of(said),
                    session -> {
                      inside.countDown();
                      awaitUninterruptibly(leave);
                      return session;
                    }));
      }
      inside.await();
      Future<ChatSession> third = threads.submit(() -> turn(pool, question(3)));
      assertThat(third.isDone()).isFalse();
      leave.countDown();
      assertThat(third.get()).isNotNull();
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void isUsedNoMoreWhenClosed() {
    var pool = new SessionPool(model);
    ChatSession session = turn(pool, question(1));
    pool.close();
    assertThatThrownBy(() -> turn(pool, question(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> session.send(Message.user("hi")))
        .isInstanceOf(IllegalStateException.class);
  }
}
