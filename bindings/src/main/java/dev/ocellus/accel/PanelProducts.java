package dev.ocellus.accel;

import dev.ocellus.accel.PanelKernel.Panels;
import dev.ocellus.accel.ProductKernel.Shape;

/**
 * Products with weights in panels, of which each thread computes some columns. For one caller at a
 * time.
 */
final class PanelProducts {
  /** Rows of weights that one thread packs at once. */
  private static final int PACKED_ROWS = 8 * PanelKernel.UNIT;

  private final PanelKernel kernel;
  private final WeightRows weights;
  private final Crew crew;

  PanelProducts(PanelKernel kernel, WeightRows weights, Crew crew) {
    this.kernel = kernel;
    this.weights = weights;
    this.crew = crew;
  }

  /**
   * Packs the weights of a product, to be kept.
   *
   * @param target memory of {@link KeptPanels#bytes}
   */
  void pack(Product p, long target) throws Throwable {
    crew.pieces(
        Math.ceilDiv(p.n(), PACKED_ROWS),
        (piece, thread) -> {
          int first = piece * PACKED_ROWS;
          int count = Math.min(PACKED_ROWS, p.n() - first);
          long rows = crew.own(thread, PanelWriter.scratchBytes(kernel));
          var writer = new PanelWriter(kernel, weights, p, rows);
          var panels = new KeptPanels(target, p.n(), first);
          kernel.parts(
              p.k(),
              (l, part) -> writer.write(first, count, l, part, panels.at(0, count, l, part)));
        });
  }

  /**
   * Computes a product whose weights were packed.
   *
   * @param panels address of all of them
   * @param columns that a thread computes at once, a multiple of {@link PanelKernel#UNIT} unless
   *     they are all
   */
  void runKept(Product p, long panels, int columns) throws Throwable {
    crew.pieces(
        Math.ceilDiv(p.n(), columns),
        (piece, thread) -> {
          int first = piece * columns;
          Shape shape = shape(p, Math.min(columns, p.n() - first));
          long own = crew.own(thread, kernel.scratchBytes(shape));
          multiply(p, shape, new KeptPanels(panels, p.n(), first), first, own);
        });
  }

  /** The same with weights that go into panels as the kernel comes to them. */
  void runPassing(Product p, int columns) throws Throwable {
    crew.pieces(
        Math.ceilDiv(p.n(), columns),
        (piece, thread) -> {
          int first = piece * columns;
          Shape shape = shape(p, Math.min(columns, p.n() - first));
          long blockBytes = kernel.blockBytes(shape);
          long writerBytes = PanelWriter.scratchBytes(kernel);
          long own = crew.own(thread, blockBytes + writerBytes + kernel.scratchBytes(shape));
          var writer = new PanelWriter(kernel, weights, p, own + blockBytes);
          Panels passing =
              (j, count, l, part) -> {
                writer.write(first + j, count, l, part, own);
                return own;
              };
          multiply(p, shape, passing, first, own + blockBytes + writerBytes);
        });
  }

  private void multiply(Product p, Shape shape, Panels panels, int first, long scratch)
      throws Throwable {
    kernel.multiply(shape, p.xAt(0), panels, p.dAt(0) + 4L * first, scratch);
  }

  private static Shape shape(Product p, int columns) {
    int ldx = (int) (p.x().row() / 4);
    return Shape.byOutput(p.m(), columns, p.k(), ldx, p.k(), (int) (p.d().row() / 4));
  }
}
