package dev.ocellus.ggml;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * An owner of native memory.
 *
 * <p>Every handle that an owner hands to native code lives in the owner's arena. Using one after
 * {@link #close()} throws {@link IllegalStateException}; the memory itself is freed exactly once,
 * and never while a native call that was given one of the handles is running.
 */
public abstract class NativeObject implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Deque<Runnable> releases = new ArrayDeque<>();
  private final ReentrantLock closing = new ReentrantLock();
  private volatile boolean closed;
  private boolean freed; // guarded by closing

  /** Memory that lives as long as this object. */
  protected final Arena arena() {
    return arena;
  }

  /**
   * Takes over a native object: {@code free} is called with its address on close, in the reverse
   * order of adoption.
   */
  protected final synchronized MemorySegment adopt(
      MemorySegment address, Consumer<MemorySegment> free) {
    try {
      releases.push(() -> free.accept(address));
    } catch (Throwable e) { // no heap
      free.accept(address);
      throw e;
    }
    return borrow(address);
  }

  private synchronized void release() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
  }

  /** A handle that becomes invalid with this object but is freed by somebody else. */
  protected final MemorySegment borrow(MemorySegment address) {
    return address.reinterpret(arena, null);
  }

  /** Whether {@link #close()} has been called. */
  public final boolean isClosed() {
    return closed;
  }

  /**
   * Throws if this object has been closed.
   *
   * @throws IllegalStateException with the name of the class
   */
  protected final void requireOpen() {
    if (closed) {
      throw new IllegalStateException(getClass().getSimpleName() + " has been closed");
    }
  }

  /** What a subclass must do before its memory goes, such as waiting for a computation to end. */
  protected void beforeClose() {}

  /**
   * Frees the native memory. Closing a second time does nothing, except that it waits for a thread
   * that is just closing this: whoever comes back from here may free what this object uses.
   *
   * @throws IllegalStateException if another thread is inside a native call on this object that the
   *     class does not wait for; nothing is freed then, and close can be called again
   */
  @Override
  public final void close() {
    if (closing.isHeldByCurrentThread()) {
      return; // from inside of closing this
    }
    closing.lock();
    try {
      if (!freed) {
        free();
      }
    } finally {
      closing.unlock();
    }
  }

  private void free() {
    closed = true;
    try {
      beforeClose();
      arena.close();
    } catch (IllegalStateException e) {
      closed = false;
      throw e;
    }
    freed = true;
    NativeStack.run(this::release); // what frees may log
  }
}
