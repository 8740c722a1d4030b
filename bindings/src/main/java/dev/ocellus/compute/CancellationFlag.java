package dev.ocellus.compute;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Set by any thread to stop a running computation; it can be used again after {@link #reset()}. */
public final class CancellationFlag {
  private final List<Runnable> watchers = new ArrayList<>(2);
  private volatile boolean cancelled;

  /** Asks the computation that watches this flag to stop at its next graph node or token. */
  public void cancel() {
    synchronized (watchers) {
      cancelled = true;
      watchers.forEach(Runnable::run);
    }
  }

  /** Allows computations again. */
  public void reset() {
    cancelled = false;
  }

  /** Whether {@link #cancel()} was called since the last reset. */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Calls {@code body}, and runs {@code watcher} as soon as this flag is set meanwhile, on the
   * thread that sets it; at once if it is set already. When this returns, the watcher does not run
   * any more.
   *
   * @param watcher short, and takes no lock
   */
  public <T> T whileWatched(Runnable watcher, Supplier<T> body) {
    try {
      synchronized (watchers) {
        watchers.add(watcher);
        if (cancelled) {
          watcher.run();
        }
      }
      return body.get();
    } finally {
      synchronized (watchers) {
        watchers.remove(watcher);
      }
    }
  }
}
