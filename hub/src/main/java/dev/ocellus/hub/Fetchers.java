package dev.ocellus.hub;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The threads that fetch the parts of one file. The first that fails stops the others. */
final class Fetchers implements AutoCloseable {
  private final HubSettings settings;
  private final List<PartFetcher> fetchers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final CountDownLatch running;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private volatile boolean noRanges;

  Fetchers(int n, Http http, HubSettings settings, RemoteFile file, PartialFile parts) {
    this.settings = settings;
    this.running = new CountDownLatch(n);
    AtomicInteger next = new AtomicInteger();
    for (int i = 0; i < n; i++) {
      PartFetcher fetcher = new PartFetcher(http, file, parts);
      fetchers.add(fetcher);
      threads.add(Thread.ofVirtual().start(() -> run(fetcher, next, parts)));
    }
  }

  private void run(PartFetcher fetcher, AtomicInteger next, PartialFile parts) {
    try {
      int part = next.getAndIncrement();
      while (part < parts.nParts() && failure.get() == null && !noRanges) {
        if (!fetcher.fetch(part)) {
          noRanges = true;
        }
        part = next.getAndIncrement();
      }
    } catch (IOException | RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    } finally {
      if (failure.get() != null || noRanges) {
        fetchers.forEach(PartFetcher::stop);
      }
      running.countDown();
    }
  }

  /** Waits a moment; false when all have ended. */
  boolean await(long millis) {
    try {
      boolean ended = running.await(millis, TimeUnit.MILLISECONDS);
      fetchers.forEach(f -> f.breakIfStalled(settings.stall()));
      return !ended;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException) new CancellationException("interrupted").initCause(e);
    }
  }

  /** After the end: false if the server gives no parts of files. */
  boolean finish() throws IOException {
    if (noRanges) {
      return false;
    }
    switch (failure.get()) {
      case null -> {
        return true;
      }
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  /** Stops those that still run, and waits for them: the file is closed afterwards. */
  @Override
  public void close() {
    fetchers.forEach(PartFetcher::stop);
    boolean interrupted = false;
    for (Thread thread : threads) {
      thread.interrupt();
      interrupted |= !join(thread);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean join(Thread thread) {
    boolean calm = true;
    while (true) {
      try {
        thread.join();
        return calm;
      } catch (InterruptedException e) {
        calm = false;
      }
    }
  }
}
