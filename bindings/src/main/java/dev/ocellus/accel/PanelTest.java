package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.ocellus.accel.ProductKernel.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Tries whether the steps of a product give what the product gives, bit for bit. */
final class PanelTest {
  /** A few columns of a result, which are not all in whole panels. */
  private static final int FEW = 91;

  private static final int ALIGNMENT = 64; // a cache line

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
    for (int k : TERMS) {
      same = same && isSame(37, FEW, k) && isSame(203, FEW, k);
    }
    // more than are computed at once, as some kernels add up the last otherwise
    int rows = PanelKernel.MAX_ROWS + 91;
    return same && isSame(rows, FEW, TERMS[0]) && isSame(37, steps.columns() + FEW, TERMS[0]);
  }

  private boolean isSame(int m, int n, int k) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = fractions(arena, m * k);
      MemorySegment w = fractions(arena, n * k);
      MemorySegment expected = arena.allocate(JAVA_FLOAT, (long) m * n);
      Shape shape = Shape.byOutput(m, n, k, k, k, n);
      whole.multiply(shape, x.address(), w.address(), expected.address(), 0);
      return expected.mismatch(bySteps(arena, shape, x, w)) < 0;
    }
  }

  /** In two parts, as two threads would. */
  private MemorySegment bySteps(Arena arena, Shape all, MemorySegment x, MemorySegment w)
      throws Throwable {
    int n = all.n();
    long panels = arena.allocate(KeptPanels.bytes(n, all.k()), ALIGNMENT).address();
    MemorySegment found = arena.allocate(JAVA_FLOAT, (long) all.m() * n);
    found.fill((byte) -1); // no number
    int half = Math.ceilDiv(Math.ceilDiv(n, 2), PanelKernel.UNIT) * PanelKernel.UNIT;
    for (int first = 0; first < n; first += half) {
      int count = Math.min(half, n - first);
      var part = new KeptPanels(panels, n, first);
      long rows = w.address() + 4L * first * all.k();
      steps.parts(
          all.k(),
          (l, terms) ->
              steps.pack(rows + 4L * l, all.k(), count, terms, part.at(0, count, l, terms)));
      Shape shape = Shape.byOutput(all.m(), count, all.k(), all.k(), all.k(), n);
      long scratch = arena.allocate(steps.scratchBytes(shape), ALIGNMENT).address();
      steps.multiply(shape, x.address(), part, found.address() + 4L * first, scratch);
    }
    return found;
  }

  /** Numbers whose products are rounded. */
  private static MemorySegment fractions(Arena arena, int count) {
    MemorySegment numbers = arena.allocate(4L * count, ALIGNMENT);
    int state = count;
    for (int i = 0; i < count; i++) {
      state = state * 1664525 + 1013904223; // Numerical Recipes' generator
      numbers.setAtIndex(JAVA_FLOAT, i, (state >> 8) / (float) (1 << 23));
    }
    return numbers;
  }
}
