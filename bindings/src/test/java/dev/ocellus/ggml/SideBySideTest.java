package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SideBySideTest {
  private static final Runnable NOTHING = () -> {};

  @Test
  void runsEveryTaskOnAThreadForGraphs() {
    Set<Integer> numbers = new ConcurrentSkipListSet<>();
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    var all = new CountDownLatch(5);
    SideBySide.run(
        5,
        i -> {
          assertThat(NativeStack.isForGraphs()).isTrue();
          // what computes a graph stays on that thread
          assertThat(NativeStack.callForGraph(Thread::currentThread))
              .isSameAs(Thread.currentThread());
          all.countDown();
          await(all);
          numbers.add(i);
          threads.add(Thread.currentThread());
        },
        NOTHING);
    assertThat(numbers).containsExactly(0, 1, 2, 3, 4);
    assertThat(threads).hasSize(5).doesNotContain(Thread.currentThread());
    assertThat(NativeStack.isForGraphs()).isFalse();
    SideBySide.run(0, i -> numbers.add(-1), NOTHING);
    assertThat(numbers).doesNotContain(-1);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void throwsTheFirstFailureWhenAllHaveEnded() {
    var first = new IllegalStateException("first");
    var failed = new CountDownLatch(1);
    var told = new AtomicInteger();
    var ended = new AtomicInteger();
    assertThatThrownBy(() ->
            SideBySide.run(
                4,
                i -> {
                  if (i == 2) {
                    throw first;
                  }
                  await(failed);
                  ended.incrementAndGet();
                  throw new AssertionError("a later one");
                },
                () -> {
                  told.incrementAndGet();
                  failed.countDown();
                }))
        .isSameAs(first);
    assertThat(ended).hasValue(3);
    assertThat(told).hasValue(1);
  }

  @Test
  void waitsThoughInterruptedAndSaysSoAfterwards() {
    var ended = new AtomicInteger();
    Thread.currentThread().interrupt();
    SideBySide.run(2, i -> ended.incrementAndGet(), NOTHING);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(ended).hasValue(2);
  }
}
