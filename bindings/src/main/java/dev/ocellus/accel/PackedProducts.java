package dev.ocellus.accel;

import dev.ocellus.accel.ProductKernel.Shape;

/** Products with weights that were packed. For one caller at a time. */
final class PackedProducts {
  /** Rows of weights that one thread packs at once. */
  private static final int PACKED_ROWS = 8 * PanelKernel.UNIT;

  private final PanelKernel kernel;
  private final WeightRows weights;
  private final Crew crew;

  PackedProducts(PanelKernel kernel, WeightRows weights, Crew crew) {
    this.kernel = kernel;
    this.weights = weights;
    this.crew = crew;
  }

  /** Packs the weights of a product. */
  void pack(Product p, long target) throws Throwable {
    crew.pieces(
        Math.ceilDiv(p.n(), PACKED_ROWS),
        (piece, thread) -> {
          int first = piece * PACKED_ROWS;
          int count = Math.min(PACKED_ROWS, p.n() - first);
          long own = crew.own(thread, WeightRows.bytes(p, count));
          long rows = weights.floats(p, p.wAt(0) + first * p.w().row(), count, own);
          kernel.pack(rows, WeightRows.distance(p), first, count, p.n(), p.k(), target);
        });
  }

  /**
   * Computes a product.
   *
   * @param panels address of its packed weights
   * @param columns of a piece, a multiple of {@link PanelKernel#UNIT} unless it is all of them
   */
  void run(Product p, long panels, int columns) throws Throwable {
    crew.pieces(
        Math.ceilDiv(p.n(), columns),
        (piece, thread) -> {
          int first = piece * columns;
          int count = Math.min(columns, p.n() - first);
          Shape shape =
              Shape.byOutput(
                  p.m(), count, p.k(), (int) (p.x().row() / 4), p.k(), (int) (p.d().row() / 4));
          long own = crew.own(thread, kernel.scratchBytes(shape));
          kernel.multiply(shape, p.xAt(0), panels, first, p.n(), p.dAt(0) + 4L * first, own);
        });
  }
}
