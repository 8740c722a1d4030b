package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.ocellus.accel.ProductKernel.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Tries whether the steps of a product give what the product gives, bit for bit. */
final class PanelTest {
  /**
   * Odd, as all sizes; more than are computed at once, as some kernels add up the last otherwise.
   */
  private static final int[] ROWS = {37, 203, 603};

  private static final int N = 91;

  /** Sums in one part, in two, and in two after some. */
  private static final int[] TERMS = {311, 777, 1931};

  private final PanelKernel steps;
  private final ProductKernel whole;

  PanelTest(PanelKernel steps, ProductKernel whole) {
    this.steps = steps;
    this.whole = whole;
  }

  boolean isSame() throws Throwable {
    boolean same = true;
    for (int m : ROWS) {
      for (int k : TERMS) {
        same = same && isSame(m, k);
      }
    }
    return same;
  }

  private boolean isSame(int m, int k) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = fractions(arena, m * k);
      MemorySegment w = fractions(arena, N * k);
      MemorySegment expected = arena.allocate(JAVA_FLOAT, m * N);
      Shape shape = Shape.byOutput(m, N, k, k, k, N);
      whole.multiply(shape, x.address(), w.address(), expected.address(), 0);
      return expected.mismatch(bySteps(arena, m, k, x, w)) < 0;
    }
  }

  /** In two parts, as two threads would. */
  private MemorySegment bySteps(Arena arena, int m, int k, MemorySegment x, MemorySegment w)
      throws Throwable {
    MemorySegment panels = arena.allocate(PanelKernel.packedBytes(N, k), 64);
    MemorySegment found = arena.allocate(JAVA_FLOAT, m * N);
    found.fill((byte) -1); // no number
    for (int first = 0, count; first < N; first += count) {
      count = Math.min(3 * PanelKernel.UNIT, N - first);
      long rows = w.address() + 4L * first * k;
      steps.pack(rows, k, first, count, N, k, panels.address());
    }
    for (int first = 0, count; first < N; first += count) {
      count = Math.min(4 * PanelKernel.UNIT, N - first);
      Shape part = Shape.byOutput(m, count, k, k, k, N);
      long scratch = arena.allocate(steps.scratchBytes(part), 64).address();
      long d = found.address() + 4L * first;
      steps.multiply(part, x.address(), panels.address(), first, N, d, scratch);
    }
    return found;
  }

  /** Numbers whose products are rounded. */
  private static MemorySegment fractions(Arena arena, int count) {
    MemorySegment numbers = arena.allocate(4L * count, 64);
    int state = count;
    for (int i = 0; i < count; i++) {
      state = state * 1664525 + 1013904223; // Numerical Recipes' generator
      numbers.setAtIndex(JAVA_FLOAT, i, (state >> 8) / (float) (1 << 23));
    }
    return numbers;
  }
}
