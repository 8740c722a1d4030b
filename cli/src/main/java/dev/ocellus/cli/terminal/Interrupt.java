package dev.ocellus.cli.terminal;

import java.util.concurrent.CancellationException;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C. The first one stops what is being computed, which then ends by itself and frees its
 * memory; a second one, while that has not happened, ends the process at once.
 */
public final class Interrupt implements AutoCloseable {
  private final @Nullable Object previous;
  private volatile @Nullable Runnable action;
  private volatile boolean happened;
  private volatile boolean survives;

  public Interrupt() {
    previous = Signals.register("INT", this::happen);
  }

  private void happen() {
    if (happened && !survives) {
      Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }
    happened = true;
    Runnable now = action;
    if (now != null) {
      now.run();
    }
  }

  /** What to do at the first one; done at once if it has come already. */
  public void onInterrupt(Runnable action) {
    this.action = action;
    if (happened) {
      action.run();
    }
  }

  /** What to do at every one from now on, none of which ends the process. */
  public void onEveryInterrupt(Runnable action) {
    survives = true;
    this.action = action;
  }

  public boolean happened() {
    return happened;
  }

  /**
   * @throws CancellationException if there was one
   */
  public void check() {
    if (happened) {
      throw new CancellationException("interrupted");
    }
  }

  @Override
  public void close() {
    if (previous != null) {
      Signals.unregister("INT", previous);
    }
  }
}
