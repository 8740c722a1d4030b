package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ocellus.accel.SoftmaxKernel.Rows;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Checks a library's softmax, as {@link SelfTest} does its products: a library may have none, or a
 * wrong one for a new processor.
 */
final class SoftmaxTrial {
  /** An odd width, so that the kernel's edge is run too. */
  static final int ROWS = 3;

  static final int WIDTH = 131;

  /** Scores are between 0 and this. */
  private static final int RANGE = 8;

  /** The last of 8 bits, of which rounding takes half, and F32 some more. */
  private static final double TOLERANCE = 1.01 / 256;

  private static final int ALIGNMENT = 64;

  private SoftmaxTrial() {}

  /**
   * Why a kernel cannot be used; empty if it can. Of the calling thread's time it takes less than a
   * millisecond, besides what the library needs to make its code.
   */
  static Optional<String> problem(SoftmaxKernel kernel) throws Throwable {
    float[] scores = new float[ROWS * WIDTH];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = i * 37 % 101 * (RANGE / 100f); // without a pattern in a row
    }
    try {
      return wrong(scores, compute(kernel, scores));
    } catch (IllegalStateException | NativeLibraryException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static short[] compute(SoftmaxKernel kernel, float[] scores) throws Throwable {
    Rows rows = new Rows(ROWS, WIDTH);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocateFrom(JAVA_FLOAT, scores);
      MemorySegment to = arena.allocate(2L * scores.length, ALIGNMENT);
      MemorySegment scratch = arena.allocate(Math.max(1, kernel.scratchBytes(rows)), ALIGNMENT);
      kernel.compute(rows, from.address(), to.address(), scratch.address());
      return to.toArray(JAVA_SHORT);
    }
  }

  private static Optional<String> wrong(float[] scores, short[] found) {
    for (int first = 0; first < scores.length; first += WIDTH) {
      double sum = 0;
      for (int i = first; i < first + WIDTH; i++) {
        sum += Math.exp(scores[i]);
      }
      for (int i = first; i < first + WIDTH; i++) {
        double expected = Math.exp(scores[i]) / sum;
        float weight = Float.intBitsToFloat(found[i] << Short.SIZE);
        if (!(Math.abs(weight / expected - 1) <= TOLERANCE)) { // or no number
          return Optional.of(
              "it computes wrongly on this processor: a weight came out as %s instead of %s"
                  .formatted(weight, expected));
        }
      }
    }
    return Optional.empty();
  }
}
