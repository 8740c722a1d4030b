package dev.ocellus.accel;

/**
 * Panels of a whole matrix: those of the first part of a sum for all rows, then those of the next.
 *
 * @param address of the first
 * @param n rows of the matrix
 * @param start the row that a product begins with, a multiple of {@link PanelKernel#UNIT}
 */
record KeptPanels(long address, int n, int start) implements PanelKernel.Panels {
  /** Bytes of a matrix of {@code n} rows of {@code k} numbers. */
  static long bytes(int n, int k) {
    return 4L * n * k + PanelKernel.SLACK_BYTES;
  }

  @Override
  public long at(int first, int count, int l, int part) {
    return address + 4 * ((long) n * l + (long) (start + first) * part);
  }
}
