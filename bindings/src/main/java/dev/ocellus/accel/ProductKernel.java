package dev.ocellus.accel;

import org.jspecify.annotations.Nullable;

/**
 * Multiplies on the calling thread: {@code d[i][j] = sum over l of x[i][l] · w[j][l]}, or {@code
 * w[l][j]}, rows in one piece. All pointers are addresses, as native code calls what calls this,
 * where nothing should have to be allocated.
 */
interface ProductKernel {
  /** Bytes of memory that {@link #multiply} needs besides. */
  long scratchBytes(Shape shape) throws Throwable;

  /**
   * Computes rows of {@code d}.
   *
   * @param x rows of {@link Shape#k} numbers
   * @param w as {@link Shape#order} says
   * @param d rows of {@link Shape#n} floats
   * @param scratch memory of {@link #scratchBytes}
   */
  void multiply(Shape shape, long x, long w, long d, long scratch) throws Throwable;

  /**
   * Sets how many threads the library may use for what the calling thread asks of it. Every thread
   * that multiplies sets 1, and one that is not ours sets what was before when it is done.
   *
   * @return how many it was before
   */
  int setLibraryThreads(int count) throws Throwable;

  /** Whether the processor has a unit for products of matrices that this uses. */
  default boolean hasMatrixUnit() {
    return false;
  }

  /** The steps of which a product consists; null if they cannot be had one by one. */
  default @Nullable PanelKernel steps() throws Throwable {
    return null;
  }

  /** Whether {@link #steps} would answer at once. */
  default boolean areStepsKnown() {
    return true;
  }

  /**
   * What takes softmax of rows and rounds it to BF16; null if the library does not, or does it
   * wrongly. It is tried when first asked for, so this is called on a thread that multiplies.
   */
  default @Nullable SoftmaxKernel softmax() throws Throwable {
    return null;
  }

  /** How the numbers of {@code w} lie. */
  enum Order {
    /** {@code n} rows of {@code k} numbers, one for each column of the result. */
    BY_OUTPUT,
    /** {@code k} rows of {@code n} numbers. */
    BY_INPUT
  }

  /**
   * Sizes of one product.
   *
   * @param m rows of {@code x} and {@code d}
   * @param n columns of {@code d}
   * @param k columns of {@code x}
   * @param ldx elements from row to row of {@code x}
   * @param ldw elements from row to row of {@code w}
   * @param ldd elements from row to row of {@code d}
   * @param order of {@code w}
   */
  record Shape(int m, int n, int k, int ldx, int ldw, int ldd, Order order) {
    static Shape byOutput(int m, int n, int k, int ldx, int ldw, int ldd) {
      return new Shape(m, n, k, ldx, ldw, ldd, Order.BY_OUTPUT);
    }

    static Shape byInput(int m, int n, int k, int ldx, int ldw, int ldd) {
      return new Shape(m, n, k, ldx, ldw, ldd, Order.BY_INPUT);
    }
  }
}
