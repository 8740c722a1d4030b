package dev.ocellus.vlm;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Lets one turn of a conversation run at a time. A turn that is begun inside of another one, as by
 * its listener, is refused as one of another thread is: both would work on the same history and the
 * same keys and values.
 */
final class TurnLock {
  private final ReentrantLock lock = new ReentrantLock();

  /** Whether the caller is inside of a turn, as a listener is. */
  boolean isHeldHere() {
    return lock.isHeldByCurrentThread();
  }

  /**
   * Runs a turn.
   *
   * @throws IllegalStateException if another one is running, and then nothing was done
   */
  <T> T run(Supplier<T> turn) {
    if (isHeldHere()) {
      throw new IllegalStateException(
          "This session was called by the listener of its own answer. Wait until the call that generates the answer has returned, or use another session.");
    }
    if (!lock.tryLock()) {
      throw new IllegalStateException(
          "This session is generating an answer for another thread. Wait for it, cancel it, or open a session for each thread.");
    }
    try {
      return turn.get();
    } finally {
      lock.unlock();
    }
  }
}
