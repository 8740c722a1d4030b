package dev.ocellus.hub;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/** How often something is tried, and how long is waited in between. */
final class Backoff {
  private static final int MAX_TRIES = 6;
  private static final Duration FIRST = Duration.ofMillis(500);

  /** What a server asks for beyond this is not waited for. */
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private final Consumer<Duration> sleep;

  Backoff() {
    this(Backoff::sleep);
  }

  /** For tests, which wait for nothing. */
  Backoff(Consumer<Duration> sleep) {
    this.sleep = sleep;
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException) new CancellationException("interrupted").initCause(e);
    }
  }

  Tries begin() {
    return new Tries();
  }

  /** The tries of one thing. */
  final class Tries {
    private int failed;

    /** Something came, so that failures count from the beginning again. */
    void succeeded() {
      failed = 0;
    }

    /**
     * Waits for the next try.
     *
     * @param asked what the server asked to wait
     * @return false if there were enough, or the server wants to be left alone for long
     */
    boolean again(Optional<Duration> asked) {
      failed++;
      Duration wait = asked.orElse(FIRST.multipliedBy(1L << (failed - 1)));
      if (failed >= MAX_TRIES || wait.compareTo(LONGEST) > 0) {
        return false;
      }
      sleep.accept(wait);
      return true;
    }
  }
}
