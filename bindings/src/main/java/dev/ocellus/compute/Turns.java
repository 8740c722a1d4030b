package dev.ocellus.compute;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Lets two kinds of work have the processor's cores in turns where both want all of them: long work
 * such as the graph of an image encoder, and steps such as those of a text model. Threads of ggml
 * wait for each other by looking again and again, so both would lose most of what they get.
 *
 * <p>Long work gives way between nodes of its graph ({@link #giveWay}), and goes on after a step
 * for as long as that step took. Steps wait for each other; long work of several threads goes on
 * side by side.
 */
public final class Turns {
  private static final long MAX_SLICE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Steps that wait or are computed. Written under the lock, and read without it at every node. */
  private volatile int nSteps;

  private volatile long sliceEnd = System.nanoTime();

  // guarded by lock
  private int nComputing; // threads that compute long work
  private int nPaused; // threads of long work that wait
  private boolean inStep;
  private boolean isTurnOfLongWork;

  /** Computes a step when no long work is computed. */
  public void step(Runnable body) {
    beginStep();
    long start = System.nanoTime();
    try {
      body.run();
    } finally {
      endStep(System.nanoTime() - start);
    }
  }

  private void beginStep() {
    lock.lock();
    try {
      nSteps++;
      while (inStep || nComputing > 0 || (isTurnOfLongWork && nPaused > 0)) {
        changed.awaitUninterruptibly();
      }
      inStep = true;
    } finally {
      lock.unlock();
    }
  }

  private void endStep(long nanos) {
    lock.lock();
    try {
      nSteps--;
      inStep = false;
      isTurnOfLongWork = nPaused > 0;
      sliceEnd = System.nanoTime() + Math.min(nanos, MAX_SLICE_NANOS);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Computes long work, or one thread's share of it, which calls {@link #giveWay} now and then. */
  public <T> T longWork(Supplier<T> body) {
    resume();
    try {
      return body.get();
    } finally {
      pause();
    }
  }

  /** Waits for a step, if one is due. For threads that compute long work. */
  public void giveWay() {
    if (nSteps > 0 && System.nanoTime() - sliceEnd >= 0) {
      pause();
      resume();
    }
  }

  private void resume() {
    lock.lock();
    try {
      nPaused++;
      while (inStep || (nSteps > 0 && !isTurnOfLongWork)) {
        changed.awaitUninterruptibly();
      }
      nPaused--;
      nComputing++;
    } finally {
      lock.unlock();
    }
  }

  private void pause() {
    lock.lock();
    try {
      nComputing--;
      isTurnOfLongWork = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
