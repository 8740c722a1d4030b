package dev.ocellus.cli.terminal;

import java.io.PrintStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A line on the terminal that tells what is being waited for. It appears when something takes
 * longer than half a second, and is wiped before anything else is printed.
 */
public final class Progress implements AutoCloseable {
  private static final long DELAY_MILLIS = 500;
  private static final long PERIOD_MILLIS = 250;

  private final PrintStream err;
  private final @Nullable Thread ticker;
  private @Nullable String what;
  private double share = -1;
  private long since;
  private boolean shown;
  private boolean closed;

  public Progress(PrintStream err, boolean enabled) {
    this.err = err;
    this.ticker = enabled ? Thread.ofVirtual().unstarted(this::tick) : null;
    if (ticker != null) {
      ticker.start();
    }
  }

  /** How many a second so far, such as {@code ", 12.5 images/s"}; empty in the first second. */
  public static String rate(long count, long begunNanos, String what) {
    double seconds = (System.nanoTime() - begunNanos) / 1e9;
    return seconds < 1 ? "" : String.format(Locale.ROOT, ", %.1f %s/s", count / seconds, what);
  }

  /** Something begins of which no share can be told. */
  public void start(String what) {
    report(what, -1);
  }

  /** Something goes on; {@code share} is from 0 to 1. */
  public synchronized void report(String what, double share) {
    boolean begins = share < 0 ? !what.equals(this.what) : this.what == null; // else it goes on
    if (begins) {
      since = System.nanoTime();
    }
    this.what = what;
    this.share = share;
  }

  /** Nothing is being waited for. */
  public synchronized void done() {
    what = null;
    wipe();
  }

  private void tick() {
    try {
      while (show()) {
        Thread.sleep(PERIOD_MILLIS);
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  private synchronized boolean show() {
    long millis = (System.nanoTime() - since) / 1_000_000;
    if (what != null && millis >= DELAY_MILLIS) {
      String amount =
          share >= 0
              ? "%3.0f %%".formatted(100 * share)
              : String.format(Locale.ROOT, "%.0f s", millis / 1000.0);
      err.print("\r\u001b[K" + what + " … " + amount);
      err.flush();
      shown = true;
    }
    return !closed;
  }

  private void wipe() {
    if (shown) {
      err.print("\r\u001b[K");
      err.flush();
      shown = false;
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      what = null;
      wipe();
    }
    if (ticker != null) {
      ticker.interrupt();
    }
  }
}
