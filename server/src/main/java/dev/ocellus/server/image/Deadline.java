package dev.ocellus.server.image;

import java.net.SocketTimeoutException;
import java.time.Duration;

/** When something has to be done. */
final class Deadline {
  private final long end;

  Deadline(Duration time) {
    end = System.nanoTime() + time.toNanos();
  }

  /**
   * Milliseconds that are left, at least 1.
   *
   * @throws SocketTimeoutException if there are none
   */
  int millisLeft() throws SocketTimeoutException {
    long millis = (end - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new SocketTimeoutException("took too long");
    }
    return (int) Math.min(millis, Integer.MAX_VALUE);
  }
}
