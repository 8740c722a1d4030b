package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * Floats by their addresses. Loops run over arrays, which the JVM compiles to vector instructions,
 * so values are brought there and back in pieces.
 */
final class NativeFloats {
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private NativeFloats() {}

  static void read(long address, float[] target, int at, int count) {
    MemorySegment.copy(MEMORY, JAVA_FLOAT, address, target, at, count);
  }

  static void write(float[] source, int at, long address, int count) {
    MemorySegment.copy(source, at, MEMORY, JAVA_FLOAT, address, count);
  }

  static void readHalves(long address, short[] target, int count) {
    MemorySegment.copy(MEMORY, JAVA_SHORT, address, target, 0, count);
  }

  /** Copies numbers as the floats whose bits they are. */
  static void reinterpret(int[] bits, float[] target, int count) {
    MemorySegment.copy(MemorySegment.ofArray(bits), JAVA_FLOAT, 0, target, 0, count);
  }

  static float get(long address) {
    return MEMORY.get(JAVA_FLOAT, address);
  }

  static void copy(long from, long to, long count) {
    MemorySegment.copy(MEMORY, from, MEMORY, to, 4 * count);
  }

  static void clear(long address, long count) {
    MEMORY.asSlice(address, 4 * count).fill((byte) 0);
  }
}
