package dev.ocellus.accel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that wait for work without looking out for it: between two products ggml's own threads
 * want the cores.
 *
 * <p>For one caller at a time. The caller only waits, since it has no more stack than its own
 * caller left it.
 */
final class Workers {
  /** What native code of a library may need; untouched pages take no memory. */
  private static final long STACK = 8L << 20;

  /** Work that comes in numbered pieces. */
  interface Job {
    /** Does one piece, on the thread with a number. */
    void piece(int number, int thread) throws Throwable;
  }

  /** What a thread does before its first piece. */
  interface Preparation {
    void run() throws Throwable;
  }

  /** One job, until all its pieces are done. */
  private static final class Round {
    final Job job;
    final int nPieces;
    final int nThreads;
    final Thread caller = Thread.currentThread();
    final AtomicInteger next = new AtomicInteger();
    final AtomicInteger busy;
    volatile @Nullable Throwable failure;

    Round(Job job, int nPieces, int nThreads) {
      this.job = job;
      this.nPieces = nPieces;
      this.nThreads = nThreads;
      this.busy = new AtomicInteger(nThreads);
    }
  }

  private final Thread[] threads;
  private final Preparation preparation;
  private volatile @Nullable Round current;
  private volatile boolean ended;

  /** Starts threads. */
  Workers(int nThreads, Preparation preparation) {
    this.preparation = preparation;
    threads = new Thread[nThreads];
    for (int i = 0; i < nThreads; i++) {
      int number = i;
      threads[i] = new Thread(null, () -> loop(number), "ocellus-products-" + number, STACK);
      threads[i].setDaemon(true);
    }
    int started = 0;
    try {
      for (Thread thread : threads) {
        thread.start();
        started++;
      }
    } finally {
      if (started < nThreads) { // the system has no more
        end();
      }
    }
  }

  int size() {
    return threads.length;
  }

  /** Does all pieces and waits for them; throws what the first that failed threw. */
  void run(int nPieces, Job job) throws Throwable {
    Round round = new Round(job, nPieces, Math.min(threads.length, nPieces));
    current = round;
    LockSupport.unpark(threads[0]);
    boolean interrupted = false;
    while (round.busy.get() > 0) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted(); // or it would not wait any more
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Throwable thrown = round.failure;
    if (thrown != null) {
      throw thrown;
    }
  }

  private void loop(int number) {
    boolean prepared = false;
    Round done = null;
    while (!ended) {
      Round round = current;
      if (round == null || round == done) {
        LockSupport.park(this);
        continue;
      }
      done = round;
      if (number < round.nThreads) {
        wake(round, 2 * number + 1);
        wake(round, 2 * number + 2);
        work(round, number, prepared);
        prepared = true;
      }
    }
  }

  /** Each wakes two more, so that it takes the same time for many as for few. */
  private void wake(Round round, int number) {
    if (number < round.nThreads) {
      LockSupport.unpark(threads[number]);
    }
  }

  private void work(Round round, int number, boolean prepared) {
    try {
      if (!prepared) {
        preparation.run();
      }
      for (int piece; (piece = round.next.getAndIncrement()) < round.nPieces; ) {
        round.job.piece(piece, number);
      }
    } catch (Throwable e) {
      round.next.set(round.nPieces); // the others need not go on
      round.failure = e;
    } finally {
      if (round.busy.decrementAndGet() == 0) {
        LockSupport.unpark(round.caller);
      }
    }
  }

  /** Ends the threads, which are idle. */
  void end() {
    ended = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
