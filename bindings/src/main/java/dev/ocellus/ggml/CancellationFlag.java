package dev.ocellus.ggml;

/** Set by any thread to stop a running computation; it can be used again after {@link #reset()}. */
public final class CancellationFlag {
  private volatile boolean cancelled;

  /** Asks the computation that watches this flag to stop at its next graph node or token. */
  public void cancel() {
    cancelled = true;
  }

  /** Allows computations again. */
  public void reset() {
    cancelled = false;
  }

  /** Whether {@link #cancel()} was called since the last reset. */
  public boolean isCancelled() {
    return cancelled;
  }
}
