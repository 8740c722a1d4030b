package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Window;
import dev.ocellus.accel.ProductKernel.Shape;

/** Computes tiles of a {@link TransformedConvolution} on one thread, with arrays of its own. */
final class TileWorker {
  private final Convolution c;
  private final ProductKernel products;
  private final int[] parts;
  private final Tiles tiles;
  private final TileWriter writer;
  private final float[][] transformed;

  /**
   * @param parts which of the sixteen products are needed
   * @param maxRows rows of tiles
   * @param maxColumns tiles of a row
   */
  TileWorker(Convolution c, ProductKernel products, int[] parts, int maxRows, int maxColumns) {
    this.c = c;
    this.products = products;
    this.parts = parts;
    Window w = c.window();
    tiles =
        c.doubled()
            ? new DoubledTiles(c.from(), maxRows, maxColumns)
            : new PlainTiles(c.from(), w.paddingX(), w.paddingY(), maxRows, maxColumns);
    tiles.moveTo(0, 0, maxRows, maxColumns);
    int most = tiles.count();
    writer = new TileWriter(c, tiles, parts, most, maxColumns);
    transformed = new float[parts.length][most];
  }

  /** Goes on to other tiles. */
  void moveTo(int row, int column, int rows, int columns) {
    tiles.moveTo(row, column, rows, columns);
  }

  /**
   * Computes tiles for some channels of the result.
   *
   * @param kernel address of matrices [part, output, input]
   * @param crew whose memory for this thread is used
   * @param shift bytes that the result lies behind where the convolution says
   */
  void run(Crew crew, int thread, long kernel, int firstOutput, int outputs, long shift)
      throws Throwable {
    int inputs = c.from().channels();
    int n = tiles.count();
    Shape shape = Shape.byInput(outputs, n, inputs, inputs, n, n);
    long mapBytes = 4L * parts.length * inputs * n;
    long productBytes = 4L * parts.length * outputs * n;
    long maps = crew.own(thread, mapBytes + productBytes + products.scratchBytes(shape));
    long results = maps + mapBytes;
    transformMaps(maps);
    for (int i = 0; i < parts.length; i++) {
      products.multiply(
          shape,
          kernel + 4L * i * outputs * inputs,
          maps + 4L * i * inputs * n,
          results + 4L * i * outputs * n,
          results + productBytes);
    }
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < parts.length; i++) {
        long row = ((long) i * outputs + o) * n;
        NativeFloats.read(results + 4 * row, writer.product(parts[i]), 0, n);
      }
      writer.write(firstOutput + o, shift);
    }
  }

  /** To matrices [part, channel, tile]. */
  private void transformMaps(long target) {
    int inputs = c.from().channels();
    int n = tiles.count();
    for (int channel = 0; channel < inputs; channel++) {
      tiles.transform(c.source() + 4 * c.from().pixels() * channel, transformed);
      for (int i = 0; i < parts.length; i++) {
        long row = (long) i * inputs + channel;
        NativeFloats.write(transformed[i], 0, target + 4 * row * n, n);
      }
    }
  }
}
