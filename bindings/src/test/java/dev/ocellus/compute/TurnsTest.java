package dev.ocellus.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TurnsTest {
  private static final int STEPS = 200;

  private final Turns turns = new Turns();
  private final AtomicInteger inLongWork = new AtomicInteger();
  private final AtomicBoolean together = new AtomicBoolean();

  /** Long work of one thread and of several, which goes on until all steps were made. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void stepsAndLongWorkAreNeverComputedTogether(int nThreads) throws InterruptedException {
    var ended = new AtomicBoolean();
    var nodes = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < nThreads; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                while (!ended.get()) {
                  turns.longWork(() -> computeNodes(nodes));
                }
              }));
    }
    int before = 0;
    for (int i = 0; i < STEPS; i++) {
      while (i < nThreads && nodes.get() == before) { // all have begun, or will any moment
        Thread.onSpinWait();
      }
      before = nodes.get();
      turns.step(() -> together.compareAndSet(false, inLongWork.get() > 0));
    }
    ended.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(together).isFalse();
  }

  private boolean computeNodes(AtomicInteger nodes) {
    for (int i = 0; i < 10; i++) {
      turns.giveWay();
      inLongWork.incrementAndGet();
      Thread.onSpinWait();
      nodes.incrementAndGet();
      inLongWork.decrementAndGet();
    }
    return true;
  }

  /** Steps that come without a pause between them leave long work a turn after each. */
  @Test
  void neitherStarves() throws InterruptedException {
    var nodes = new AtomicInteger();
    var begun = new CountDownLatch(1);
    Thread thread =
        Thread.ofPlatform()
            .start(() ->
                turns.longWork(() -> {
                  begun.countDown();
                  while (nodes.incrementAndGet() <= STEPS) {
                    sleep(1);
                    turns.giveWay();
                  }
                  return true;
                }));
    begun.await();
    int steps = 0;
    while (nodes.get() <= STEPS) {
      turns.step(() -> sleep(1));
      steps++;
    }
    thread.join();
    assertThat(steps).isBetween(STEPS / 10, STEPS + 1);
  }

  /** After a long step long work goes on for a while, though the next step waits already. */
  @Test
  void longWorkGoesOnForAsLongAsTheStepBefore() throws InterruptedException {
    turns.step(() -> sleep(200));
    var waits = new CountDownLatch(1);
    var stepped = new AtomicBoolean();
    turns.longWork(() -> {
      Thread.ofPlatform()
          .start(() -> {
            waits.countDown();
            turns.step(() -> stepped.set(true));
          });
      await(waits);
      turns.giveWay(); // not yet
      assertThat(stepped).isFalse();
      sleep(400);
      while (!stepped.get()) {
        turns.giveWay(); // as soon as it waits
      }
      return true;
    });
    assertThat(stepped).isTrue();
  }

  @Test
  void whatFailsLeavesTheTurnToOthers() {
    assertThatThrownBy(() ->
            turns.longWork(() -> {
              throw new IllegalStateException("long work");
            }))
        .hasMessage("long work");
    assertThatThrownBy(() ->
            turns.step(() -> {
              throw new IllegalStateException("a step");
            }))
        .hasMessage("a step");
    var done = new AtomicBoolean();
    turns.step(() -> done.set(true));
    assertThat(turns.longWork(() -> 1)).isOne();
    assertThat(done).isTrue();
  }

  private static void sleep(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
