package dev.ocellus.quantize;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorSource;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Computes rows on several threads, some tensors ahead of the one that is being written, and hands
 * the results out in order. Memory is what a fixed number of {@linkplain RowJob jobs} take, however
 * large a tensor is.
 */
final class RowPipeline implements AutoCloseable {
  private record Running(RowJob job, RowWorker worker, Future<?> future) {}

  private final Arena arena = Arena.ofShared();
  private final ExecutorService threads;
  private final CancellationFlag flag;
  private final Iterator<RowJob> upcoming;
  private final Deque<RowWorker> idle = new ArrayDeque<>();
  private final Deque<Running> running = new ArrayDeque<>();
  private volatile boolean stopped;

  RowPipeline(
      List<PlannedTensor> tensors,
      SourceFiles files,
      QuantizeOptions options,
      CancellationFlag flag) {
    this.flag = flag;
    this.upcoming = tensors.stream().flatMap(t -> RowJob.of(t).stream()).iterator();
    RowWorker.Sizes sizes = RowWorker.Sizes.of(tensors);
    int n = options.nThreads();
    this.threads = Executors.newFixedThreadPool(n, Thread.ofPlatform().daemon().factory());
    for (int i = 0; i < n + 2; i++) { // two that are waiting to be written
      idle.add(new RowWorker(files, options.importance(), sizes, arena));
    }
  }

  private void startMore() {
    while (!idle.isEmpty() && upcoming.hasNext()) {
      RowWorker worker = idle.pop();
      RowJob job = upcoming.next();
      Future<?> future =
          threads.submit(() -> {
            if (!stopped) {
              worker.compute(job);
            }
            return null;
          });
      running.add(new Running(job, worker, future));
    }
  }

  /**
   * Writes the data of a tensor; tensors must be asked for in the order in which they were given.
   */
  void writeTo(PlannedTensor tensor, TensorSource.Sink sink) throws IOException {
    startMore();
    while (!running.isEmpty() && running.peek().job().tensor() == tensor) {
      if (flag.isCancelled()) {
        throw new CancellationException("interrupted");
      }
      Running first = running.remove();
      await(first);
      sink.write(new Memory(first.worker().result()));
      idle.push(first.worker());
      startMore();
    }
  }

  private static void await(Running job) throws IOException {
    try {
      job.future().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("Quantizing was interrupted").initCause(e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException runtime -> throw runtime;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() {
    stopped = true;
    threads.close(); // waits: native code may still use the memory
    arena.close();
  }
}
