package dev.ocellus.accel;

/** Takes softmax of rows of floats on the calling thread, and rounds it to BF16. */
interface SoftmaxKernel {
  /** Rows without gaps. */
  record Rows(int count, int width) {}

  /** Bytes of memory that {@link #compute} needs besides. */
  long scratchBytes(Rows rows) throws Throwable;

  /**
   * Computes all rows.
   *
   * @param from address of floats
   * @param to address of the results in BF16
   * @param scratch memory of {@link #scratchBytes}
   */
  void compute(Rows rows, long from, long to, long scratch) throws Throwable;
}
