package dev.ocellus.accel;

/**
 * Writes weights of a product into panels. Their rows are first brought beside each other, as
 * floats, a few at a time: rows of 1024 floats as they lie are 4 KiB apart and evict each other
 * from a core's cache while the numbers of one panel are taken from all of them in turn. For one
 * thread at a time.
 */
final class PanelWriter {
  /** Floats between two rows, so that they do not begin at the same place of a page. */
  private static final int GAP = 16;

  private final PanelKernel kernel;
  private final WeightRows weights;
  private final Product product;
  private final long rows;
  private final int ld;

  /**
   * @param rows memory of {@link #scratchBytes}
   */
  PanelWriter(PanelKernel kernel, WeightRows weights, Product product, long rows) {
    this.kernel = kernel;
    this.weights = weights;
    this.product = product;
    this.rows = rows;
    this.ld = distance(kernel);
  }

  static long scratchBytes(PanelKernel kernel) {
    return 4L * PanelKernel.UNIT * distance(kernel);
  }

  private static int distance(PanelKernel kernel) {
    return kernel.terms() + GAP;
  }

  /**
   * Writes.
   *
   * @param first row, a multiple of {@link PanelKernel#UNIT}
   * @param count of rows; a multiple of it, too, unless they are the last
   * @param l the first number of each that is written
   * @param part how many
   * @param target address of the panels of these rows
   */
  void write(int first, int count, int l, int part, long target) throws Throwable {
    for (int i = 0; i < count; i += PanelKernel.UNIT) {
      int some = Math.min(PanelKernel.UNIT, count - i);
      for (int j = 0; j < some; j++) {
        weights.floats(product, first + i + j, l, part, rows + 4L * j * ld);
      }
      kernel.pack(rows, ld, some, part, target + 4L * i * part);
    }
  }
}
