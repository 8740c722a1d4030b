package dev.ocellus.accel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that wait for work without looking out for it: between two products ggml's own threads
 * want the cores.
 *
 * <p>For one caller at a time. A caller with stack enough works too: it has a core already, and
 * each thread that need not be woken saves the time until the system lets it run.
 */
final class Workers {
  /** What native code of a library may need; untouched pages take no memory. */
  private static final long STACK = 8L << 20;

  /** Work that comes in numbered pieces. */
  interface Job {
    /** Does one piece, on the thread with a number. */
    void piece(int number, int thread) throws Throwable;
  }

  /** How long a caller that worked looks out for the others' end before it sleeps. */
  private static final long LOOK_OUT_NANOS = 50_000;

  /** What a thread does before its first piece. */
  interface Preparation {
    void run() throws Throwable;
  }

  /** One job, until all its pieces are done: a thread that comes late is not waited for. */
  private static final class Round {
    final Job job;
    final int nPieces;
    final int nThreads;
    final Thread caller = Thread.currentThread();
    final AtomicInteger next = new AtomicInteger();
    final AtomicInteger open;
    volatile @Nullable Throwable failure;

    /**
     * @param nThreads threads besides the caller that are to work
     */
    Round(Job job, int nPieces, int nThreads) {
      this.job = job;
      this.nPieces = nPieces;
      this.nThreads = nThreads;
      this.open = new AtomicInteger(nPieces);
    }

    boolean isDone() {
      return open.get() == 0;
    }

    /** Does pieces until there are no more. */
    void work(int thread) {
      for (int piece; (piece = next.getAndIncrement()) < nPieces; ) {
        try {
          job.piece(piece, thread);
        } catch (Throwable e) {
          fail(e);
        }
        close(1);
      }
    }

    /** Leaves out the pieces that nobody has begun. */
    void fail(Throwable e) {
      failure = e;
      close(Math.max(0, nPieces - next.getAndSet(nPieces)));
    }

    private void close(int pieces) {
      if (pieces > 0 && open.addAndGet(-pieces) == 0) {
        LockSupport.unpark(caller);
      }
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

  /**
   * Does all pieces and waits for them; throws what the first that failed threw.
   *
   * @param callerWorks whether the calling thread, as the last one, does pieces too
   */
  void run(int nPieces, boolean callerWorks, Job job) throws Throwable {
    int all = Math.min(threads.length, nPieces);
    Round round = new Round(job, nPieces, callerWorks ? all - 1 : all);
    current = round;
    if (round.nThreads > 0) {
      LockSupport.unpark(threads[0]);
    }
    if (callerWorks) {
      round.work(threads.length - 1);
      lookOut(round);
    }
    await(round);
    Throwable thrown = round.failure;
    if (thrown != null) {
      throw thrown;
    }
  }

  private static void lookOut(Round round) {
    long start = System.nanoTime();
    while (!round.isDone() && System.nanoTime() - start < LOOK_OUT_NANOS) {
      Thread.onSpinWait();
    }
  }

  private void await(Round round) {
    boolean interrupted = false;
    while (!round.isDone()) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted(); // or it would not wait any more
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop(int number) {
    boolean prepared = false;
    Round seen = null;
    while (!ended) {
      Round round = current;
      if (round == null || round == seen) {
        LockSupport.park(this);
        continue;
      }
      seen = round;
      if (number < round.nThreads) {
        wake(round, 2 * number + 1);
        wake(round, 2 * number + 2);
        prepared = prepared || prepare(round);
        if (prepared) {
          round.work(number);
        }
      }
    }
  }

  private boolean prepare(Round round) {
    try {
      preparation.run();
      return true;
    } catch (Throwable e) {
      round.fail(e);
      return false;
    }
  }

  /** Each wakes two more, so that it takes the same time for many as for few. */
  private void wake(Round round, int number) {
    if (number < round.nThreads) {
      LockSupport.unpark(threads[number]);
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
