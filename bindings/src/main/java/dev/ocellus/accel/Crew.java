package dev.ocellus.accel;

import org.jspecify.annotations.Nullable;

/** Threads that do one thing after the other in pieces, and memory of theirs. For one caller. */
final class Crew implements AutoCloseable {
  /** What is done in one or more rounds of pieces. */
  interface Task {
    void run() throws Throwable;
  }

  private final ProductKernels kernels;
  private int nThreads;
  private boolean callerWorks;
  private @Nullable Workers workers;
  private Scratch[] scratch = new Scratch[0];
  private final Scratch shared = new Scratch();
  private @Nullable Object sharedBy;
  private final Scratch strip = new Scratch();

  Crew(ProductKernels kernels, int nThreads) {
    this.kernels = kernels;
    this.nThreads = nThreads;
  }

  /** Sets the number of threads from the next task on. */
  void setThreads(int count) {
    nThreads = count;
  }

  int size() {
    return nThreads;
  }

  /**
   * Does a task, which calls {@link #pieces}.
   *
   * @param callerWorks whether the calling thread has stack enough for the libraries, and is then
   *     one of the threads that compute
   */
  void work(boolean callerWorks, Task task) throws Throwable {
    this.callerWorks = callerWorks;
    if (!callerWorks) {
      task.run();
      return;
    }
    int before = kernels.setLibraryThreads(1);
    try {
      task.run();
    } finally {
      kernels.setLibraryThreads(before);
    }
  }

  /** Does numbered pieces on all threads, and returns when they are done. */
  void pieces(int count, Workers.Job job) throws Throwable {
    threads().run(count, callerWorks, job);
  }

  /** Memory of one thread, until its next piece. */
  long own(int thread, long bytes) {
    return scratch[thread].address(bytes);
  }

  /**
   * Memory of all threads, until somebody else asks for it.
   *
   * @param owner who asks
   */
  long shared(Object owner, long bytes) {
    sharedBy = owner;
    return shared.address(bytes);
  }

  /** Whether nobody has asked for that memory since somebody did. */
  boolean isSharedBy(Object owner) {
    return owner.equals(sharedBy);
  }

  /** More memory of all threads, for what a convolution is computed of. */
  long strip(long bytes) {
    return strip.address(bytes);
  }

  private Workers threads() {
    Workers known = workers;
    if (known != null && known.size() == nThreads) {
      return known;
    }
    endThreads();
    Scratch[] memory = new Scratch[nThreads];
    for (int i = 0; i < nThreads; i++) {
      memory[i] = new Scratch();
    }
    Workers started = new Workers(nThreads, () -> kernels.setLibraryThreads(1));
    scratch = memory;
    workers = started; // last: what fails before, for want of heap, can be repeated
    return started;
  }

  private void endThreads() {
    if (workers != null) {
      workers.end();
    }
    workers = null;
    for (Scratch each : scratch) {
      each.close();
    }
    scratch = new Scratch[0];
  }

  /** Ends the threads and frees the memory. */
  @Override
  public void close() {
    endThreads();
    shared.close();
    strip.close();
  }
}
