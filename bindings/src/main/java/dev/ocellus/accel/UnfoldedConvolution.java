package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Window;
import dev.ocellus.accel.ProductKernel.Shape;

/**
 * A convolution as a product of the kernel with a matrix that has, for each pixel of the result, a
 * column of the numbers that it is made of. The matrix is made for some pixels at a time, in memory
 * of the thread; a kernel of one pixel takes the maps as they lie.
 */
final class UnfoldedConvolution implements Convolver.Way {
  /** Of the matrix for the pixels of a piece: about what a core's second cache holds. */
  private static final long PIECE_BYTES = 2L << 20;

  /** Pixels of a piece: enough that the kernel is not read more often than it need be. */
  private static final int MAX_PIXELS = 1024;

  private static final int MIN_PIXELS = 16;

  /** Channels come in multiples of what kernels take at once. */
  private static final int UNIT = 16;

  private final Convolution c;
  private final Crew crew;
  private final ProductKernel products;

  /** What is computed for a piece: rows of this many pixels, all of them or a part of one. */
  private final int width;

  private final int height;
  private final int columns;
  private final int rows;
  private final int channels;

  UnfoldedConvolution(Convolution c, Crew crew, ProductKernel products) {
    this.c = c;
    this.crew = crew;
    this.products = products;
    boolean flat = c.window().isPixel(); // then where rows end does not matter
    width = flat ? Math.toIntExact(c.to().pixels()) : c.to().width();
    height = flat ? 1 : c.to().height();
    int most = (int) Math.max(MIN_PIXELS, Math.min(MAX_PIXELS, PIECE_BYTES / (4L * c.depth())));
    columns = even(width, most);
    rows = columns < width ? 1 : even(height, Math.max(1, most / width));
    int blocks = Math.ceilDiv(width, columns) * Math.ceilDiv(height, rows);
    int parts = blocks < crew.size() ? Math.ceilDiv(crew.size(), blocks) : 1;
    channels = Math.ceilDiv(Math.ceilDiv(c.to().channels(), parts), UNIT) * UNIT;
  }

  /** Parts of at most so many that are about alike. */
  private static int even(int all, int most) {
    return Math.ceilDiv(all, Math.ceilDiv(all, Math.min(all, most)));
  }

  @Override
  public void run(long shift) throws Throwable {
    int across = Math.ceilDiv(width, columns);
    int down = Math.ceilDiv(height, rows);
    int deep = Math.ceilDiv(c.to().channels(), channels);
    crew.pieces(
        across * down * deep,
        (piece, thread) -> {
          int block = piece / deep;
          int x0 = block % across * columns;
          int y0 = block / across * rows;
          int o0 = piece % deep * channels;
          new Piece(
                  x0,
                  y0,
                  Math.min(columns, width - x0),
                  Math.min(rows, height - y0),
                  o0,
                  Math.min(channels, c.to().channels() - o0))
              .run(thread, shift);
        });
  }

  /** Pixels from (x0, y0) on, and channels from o0 on. */
  private final class Piece {
    private final int x0;
    private final int y0;
    private final int columns;
    private final int rows;
    private final int o0;
    private final int channels;

    Piece(int x0, int y0, int columns, int rows, int o0, int channels) {
      this.x0 = x0;
      this.y0 = y0;
      this.columns = columns;
      this.rows = rows;
      this.o0 = o0;
      this.channels = channels;
    }

    void run(int thread, long shift) throws Throwable {
      int n = columns * rows;
      int plane = Math.toIntExact(c.plane());
      boolean asTheyLie = c.window().isPixel();
      long matrixBytes = asTheyLie ? 0 : 4L * c.depth() * n;
      // what is added must not be written over before it is read
      long productBytes = c.isInPlace() ? 4L * channels * n : 0;
      int apart = c.isInPlace() ? n : plane;
      int sourcePixels = Math.toIntExact(c.from().pixels());
      Shape shape =
          Shape.byInput(channels, n, c.depth(), c.depth(), asTheyLie ? sourcePixels : n, apart);
      long own = crew.own(thread, matrixBytes + productBytes + products.scratchBytes(shape));
      long matrix = own;
      if (asTheyLie) {
        matrix = c.source() + 4L * x0;
      } else {
        unfold(own);
      }
      long target = shift + 4 * (o0 * c.plane() + (long) y0 * width + x0);
      long product = c.isInPlace() ? own + matrixBytes : c.target() + target;
      products.multiply(
          shape,
          c.kernel() + 4L * o0 * c.depth(),
          matrix,
          product,
          own + matrixBytes + productBytes);
      add(product, apart, target, n);
    }

    /** The pixels of a channel lie one after the other: either it is whole rows or one. */
    private void add(long product, int apart, long target, int n) {
      if (c.bias() == 0 && c.added() == 0) {
        return;
      }
      for (int o = 0; o < channels; o++) {
        long at = target + 4 * o * c.plane();
        float bias = c.bias() == 0 ? 0 : NativeFloats.get(c.bias() + 4L * (o0 + o));
        long result = product + 4L * o * apart;
        Sums.add(result, c.added() == 0 ? 0 : c.added() + at, bias, c.target() + at, n);
      }
    }

    /** Rows of the matrix, each with what one number of the kernel is multiplied with. */
    private void unfold(long matrix) {
      Window w = c.window();
      RowReader reader = new RowReader(c.from().width(), w.strideX(), columns);
      long at = matrix;
      for (int channel = 0; channel < c.from().channels(); channel++) {
        long plane = c.source() + 4 * c.from().pixels() * channel;
        for (int ky = 0; ky < w.height(); ky++) {
          for (int kx = 0; kx < w.width(); kx++) {
            int firstX = x0 * w.strideX() - w.paddingX() + kx * w.dilationX();
            for (int y = y0; y < y0 + rows; y++) {
              int sourceY = y * w.strideY() - w.paddingY() + ky * w.dilationY();
              boolean inside = sourceY >= 0 && sourceY < c.from().height();
              reader.read(inside ? plane + 4L * sourceY * c.from().width() : 0, firstX, at);
              at += 4L * columns;
            }
          }
        }
      }
    }
  }
}
