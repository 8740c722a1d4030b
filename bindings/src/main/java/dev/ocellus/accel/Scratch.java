package dev.ocellus.accel;

import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/** Memory that grows to what was needed most and stays. For one thread at a time. */
final class Scratch implements AutoCloseable {
  private static final int ALIGNMENT = 64; // a cache line

  private @Nullable Arena arena;
  private long address;
  private long size;

  /** The address of at least so many bytes; what they held before is lost when they grow. */
  @SuppressWarnings("MustBeClosedChecker") // close() does it
  long address(long bytes) {
    if (bytes > size) {
      close();
      Arena fresh = Arena.ofShared();
      try {
        address = fresh.allocate(bytes, ALIGNMENT).address();
      } catch (Throwable e) {
        fresh.close();
        throw e;
      }
      arena = fresh;
      size = bytes;
    }
    return address;
  }

  @Override
  public void close() {
    if (arena != null) {
      arena.close();
    }
    arena = null;
    size = 0;
  }
}
