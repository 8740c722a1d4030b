package dev.ocellus.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A model of this executor, with threads that work on the rows of all its tasks: twice as many as
 * images that the model takes at a time, so that the next ones are read and decoded meanwhile.
 */
abstract class LoadedModel implements AutoCloseable {
  private static final long CLOSE_SECONDS = 30;

  private final String hash;
  private final Compute compute;
  private final ThreadPoolExecutor threads;
  private final Map<String, RowWorker> workers = new ConcurrentHashMap<>();

  LoadedModel(String hash, Compute compute) {
    this.hash = hash;
    this.compute = compute;
    int n = 2 * compute.parallel();
    this.threads =
        new ThreadPoolExecutor(n, n, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named());
  }

  private static ThreadFactory named() {
    AtomicInteger count = new AtomicInteger();
    return work -> {
      Thread thread = new Thread(work, "ocellus-row-" + count.getAndIncrement());
      thread.setDaemon(true);
      // services of Hadoop and of Ocellus are looked up in the jars of the job
      thread.setContextClassLoader(LoadedModel.class.getClassLoader());
      return thread;
    };
  }

  /** Of its files. */
  final String hash() {
    return hash;
  }

  final Compute compute() {
    return compute;
  }

  /** Rows that one task has on their way, so that all tasks together keep all threads busy. */
  final int rowsOfTask() {
    return Math.max(2, (2 * compute.parallel() + compute.tasks() - 1) / compute.tasks());
  }

  /** What answers a request; made once, as labels are encoded for it. */
  final RowWorker worker(Request request) {
    return workers.computeIfAbsent(
        request.fingerprint(),
        key -> {
          try {
            return newWorker(request);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  abstract RowWorker newWorker(Request request) throws IOException;

  /** Begins with a row; the result is awaited by its task. */
  final Future<RowOutcome> submit(RowJob job) {
    FutureTask<RowOutcome> work = new FutureTask<>(job);
    threads.execute(work);
    return work;
  }

  /** Frees the model once its threads have ended what they were at. */
  @Override
  public final void close() {
    threads.shutdownNow();
    try {
      boolean ended = threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
      if (!ended) {
        System.getLogger(LoadedModel.class.getName())
            .log(System.Logger.Level.WARNING, "a model is closed while rows are worked on");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeModel();
  }

  abstract void closeModel();
}
