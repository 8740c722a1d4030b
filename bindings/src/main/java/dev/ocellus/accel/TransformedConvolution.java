package dev.ocellus.accel;

import org.jspecify.annotations.Nullable;

/**
 * A convolution of 3 by 3 by Winograd's F(2×2, 3×3): four products for a pixel instead of nine, or
 * two and a quarter where every pixel of the map stands for two by two. It is as exact as sums of
 * products in F32 are: the transforms only add, subtract, double and halve.
 */
final class TransformedConvolution implements Convolver.Way {
  /** The kernel's share that is transformed at once, in memory of all threads. */
  private static final long KERNEL_BYTES = 16L << 20;

  /** Transformed maps, or products, of a piece. */
  private static final long PIECE_BYTES = 4L << 20;

  /** Channels of the result whose kernels are transformed in one piece. */
  private static final int KERNELS = 16;

  private static final int MIN_COUNT = 64;
  private static final int MAX_COUNT = 512;

  private final Convolution c;
  private final Crew crew;
  private final ProductKernel products;
  private final int[] parts;

  /** Tiles of the whole result. */
  private final int width;

  private final int height;

  /** Tiles of a piece. */
  private final int columns;

  private final int rows;

  /** By thread, which makes its own. */
  private final @Nullable TileWorker[] workers;

  TransformedConvolution(Convolution c, Crew crew, ProductKernel products) {
    this.c = c;
    this.crew = crew;
    this.products = products;
    workers = new TileWorker[crew.size()];
    parts = c.doubled() ? TransformedKernel.DOUBLED : TransformedKernel.ALL;
    width = Math.ceilDiv(c.to().width(), 2);
    height = Math.ceilDiv(c.to().height(), 2);
    long deep = Math.max(c.from().channels(), c.to().channels());
    int most = (int) Math.clamp(PIECE_BYTES / (4 * parts.length * deep), MIN_COUNT, MAX_COUNT);
    columns = even(width, most);
    int down = Math.max(1, most / (columns + 2));
    rows = even(height, Math.min(down, Math.max(1, Math.ceilDiv(height, crew.size()))));
  }

  private static int even(int all, int most) {
    return Math.ceilDiv(all, Math.ceilDiv(all, Math.min(all, most)));
  }

  @Override
  public void run(long shift) throws Throwable {
    int inputs = c.from().channels();
    int perBlock =
        (int) Math.clamp(KERNEL_BYTES / (4L * parts.length * inputs), 1, c.to().channels());
    for (int first = 0; first < c.to().channels(); first += perBlock) {
      int outputs = Math.min(perBlock, c.to().channels() - first);
      // the whole kernel may be there since the last strip
      boolean there = crew.isSharedBy(this) && outputs == c.to().channels();
      long kernel = crew.shared(this, 4L * parts.length * inputs * outputs);
      if (!there) {
        transform(kernel, first, outputs);
      }
      run(kernel, first, outputs, shift);
    }
  }

  private void transform(long kernel, int first, int outputs) throws Throwable {
    int inputs = c.from().channels();
    long source = c.kernel() + 4L * c.window().area() * inputs * first;
    crew.pieces(
        Math.ceilDiv(outputs, KERNELS),
        (piece, thread) ->
            TransformedKernel.transform(
                source,
                kernel,
                parts,
                piece * KERNELS,
                Math.min(KERNELS, outputs - piece * KERNELS),
                outputs,
                inputs));
  }

  private void run(long kernel, int firstOutput, int outputs, long shift) throws Throwable {
    int across = Math.ceilDiv(width, columns);
    int down = Math.ceilDiv(height, rows);
    crew.pieces(
        across * down,
        (piece, thread) -> {
          int x = piece % across * columns;
          int y = piece / across * rows;
          TileWorker worker = worker(thread);
          worker.moveTo(y, x, Math.min(rows, height - y), Math.min(columns, width - x));
          worker.run(crew, thread, kernel, firstOutput, outputs, shift);
        });
  }

  private TileWorker worker(int thread) {
    TileWorker known = workers[thread];
    if (known == null) {
      known = new TileWorker(c, products, parts, rows, columns);
      workers[thread] = known;
    }
    return known;
  }
}
