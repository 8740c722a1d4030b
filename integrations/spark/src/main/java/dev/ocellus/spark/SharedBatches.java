package dev.ocellus.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Batches of whatever several threads bring at the same time. One of them computes; what the others
 * bring meanwhile is the next batch. Nobody waits for a batch to become full.
 */
final class SharedBatches<T, R> {
  private record Item<T, R>(T input, CompletableFuture<R> output) {}

  private final int max;
  private final Function<List<T>, List<R>> compute;
  private final LinkedBlockingQueue<Item<T, R>> waiting = new LinkedBlockingQueue<>();
  private final ReentrantLock computing = new ReentrantLock();

  /**
   * @param max most inputs of a batch
   * @param compute outputs in the order of the inputs
   */
  SharedBatches(int max, Function<List<T>, List<R>> compute) {
    this.max = max;
    this.compute = compute;
  }

  /** The output of one input; throws what computing its batch throws. */
  R compute(T input) throws InterruptedException {
    Item<T, R> item = new Item<>(input, new CompletableFuture<>());
    waiting.add(item);
    computing.lockInterruptibly();
    try {
      while (!item.output.isDone()) {
        computeNext();
      }
    } finally {
      computing.unlock();
    }
    try {
      return item.output.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private void computeNext() {
    List<Item<T, R>> batch = new ArrayList<>();
    waiting.drainTo(batch, max);
    try {
      List<R> outputs = compute.apply(batch.stream().map(Item::input).toList());
      for (int i = 0; i < batch.size(); i++) {
        batch.get(i).output.complete(outputs.get(i));
      }
    } catch (RuntimeException | Error e) {
      batch.forEach(item -> item.output.completeExceptionally(e));
    }
  }
}
