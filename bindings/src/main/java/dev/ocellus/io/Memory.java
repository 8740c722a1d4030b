package dev.ocellus.io;

import java.lang.foreign.MemorySegment;

/**
 * Bytes on the heap, off the heap or in a mapped file, for signatures that everybody sees: what
 * they lie in is shown to other modules of Ocellus only.
 *
 * @param segment the bytes; usable as long as what they lie in
 */
public record Memory(MemorySegment segment) {
  /** Bytes of an array, which is not copied. */
  public static Memory of(float[] values) {
    return new Memory(MemorySegment.ofArray(values));
  }

  public long byteSize() {
    return segment.byteSize();
  }
}
