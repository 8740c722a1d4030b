package dev.ocellus.accel;

/**
 * Computes {@link Convolution} by products of matrices, in the way that takes the fewest
 * multiplications. Images are computed one after the other.
 */
final class Convolver {
  /** Tiles of two by two from which on transforming the kernel pays. */
  private static final int MIN_TILES = 128;

  private Convolver() {}

  static void run(Convolution c, Crew crew, ProductKernel products) throws Throwable {
    for (int i = 0; i < c.batch(); i++) {
      Convolution image = c.image(i);
      if (image.doubled() || isWorthTransforming(image)) {
        new TransformedConvolution(image, crew, products).run();
      } else {
        new UnfoldedConvolution(image, crew, products).run();
      }
    }
  }

  private static boolean isWorthTransforming(Convolution c) {
    long tiles = Math.ceilDiv(c.to().width(), 2) * (long) Math.ceilDiv(c.to().height(), 2);
    return c.window().isThreeByThree() && tiles >= MIN_TILES;
  }
}
