package dev.ocellus.accel;

/**
 * Computes {@link Convolution} by products of matrices, in the way that takes the fewest
 * multiplications. Images are computed one after the other.
 */
final class Convolver {
  /** Tiles of two by two from which on transforming the kernel pays. */
  private static final int MIN_TILES = 128;

  private Convolver() {}

  /** A way to compute the convolution of one image, or of strips of its rows that are alike. */
  interface Way {
    /**
     * Computes.
     *
     * @param shift bytes that the result, and what is added, lie behind where the convolution says
     */
    void run(long shift) throws Throwable;
  }

  static void run(Convolution c, Crew crew, ProductKernel products) throws Throwable {
    for (int i = 0; i < c.batch(); i++) {
      way(c.image(i), crew, products).run(0);
    }
  }

  static Way way(Convolution image, Crew crew, ProductKernel products) {
    return image.doubled() || isWorthTransforming(image)
        ? new TransformedConvolution(image, crew, products)
        : new UnfoldedConvolution(image, crew, products);
  }

  private static boolean isWorthTransforming(Convolution c) {
    long tiles = Math.ceilDiv(c.to().width(), 2) * (long) Math.ceilDiv(c.to().height(), 2);
    return c.window().isThreeByThree() && tiles >= MIN_TILES;
  }
}
