package dev.ocellus.ggml;

import java.lang.foreign.MemorySegment;

/**
 * Threads of a CPU backend that wait for work. Without a pool, ggml starts its threads anew for
 * every graph, which a small model feels.
 */
public final class ThreadPool implements AutoCloseable {
  /** ggml's default, about a tenth of a second: the next token comes sooner. */
  private static final int POLLING = 50;

  private final BackendFunctions functions;
  private final MemorySegment handle;
  private boolean closed;

  private ThreadPool(BackendFunctions functions, MemorySegment handle) {
    this.functions = functions;
    this.handle = handle;
  }

  /**
   * Starts {@code nThreads} threads for a CPU device.
   *
   * @param polling whether they look out for the next graph for a while before they sleep
   */
  public static ThreadPool start(Device device, int nThreads, boolean polling) {
    BackendFunctions functions = BackendFunctions.of(device.handle());
    return new ThreadPool(functions, functions.newThreadPool(nThreads, polling ? POLLING : 0));
  }

  /** Whether the backend has thread pools at all. */
  public boolean exists() {
    return handle.address() != 0;
  }

  /** The native pool, NULL if there is none. */
  public MemorySegment handle() {
    return handle;
  }

  @Override
  public synchronized void close() {
    if (!closed && exists()) {
      functions.freeThreadPool(handle);
    }
    closed = true;
  }
}
