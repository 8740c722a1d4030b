package dev.ocellus.ggml;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks side by side, each on a thread of its own that has stack enough for computing graphs
 * and does nothing else.
 */
public final class SideBySide {
  private final IntConsumer task;
  private final Runnable onFailure;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private SideBySide(IntConsumer task, Runnable onFailure) {
    this.task = task;
    this.onFailure = onFailure;
  }

  /**
   * Runs a task for each number below {@code count}, and returns when all of them have ended. An
   * interrupt waits too, as native code cannot be interrupted.
   *
   * <p>What the first one that failed threw is thrown here, after the others have ended.
   *
   * @param task must throw unchecked exceptions only
   * @param onFailure called once, when the first one fails, so that the others can be ended early
   * @throws dev.ocellus.compute.GgmlException if the system gives no thread, or no address space
   *     for its stack
   */
  public static void run(int count, IntConsumer task, Runnable onFailure) {
    var all = new SideBySide(task, onFailure);
    all.waitFor(all.start(count));
    Thrown.rethrow(all.failure.get());
  }

  private Thread[] start(int count) {
    Thread[] threads = new Thread[count];
    try {
      for (int i = 0; i < count; i++) {
        int number = i;
        threads[i] = NativeStack.startForGraphs(() -> attempt(number));
      }
    } catch (Throwable e) { // those that were started have to end first
      fail(e);
    }
    return threads;
  }

  private void attempt(int number) {
    try {
      task.accept(number);
    } catch (Throwable e) {
      fail(e);
    }
  }

  private void fail(Throwable e) {
    if (failure.compareAndSet(null, e)) {
      onFailure.run();
    }
  }

  private void waitFor(@Nullable Thread[] threads) {
    for (Thread thread : threads) {
      if (thread != null) {
        NativeStack.waitFor(thread);
      }
    }
  }
}
