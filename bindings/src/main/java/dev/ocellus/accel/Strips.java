package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;
import dev.ocellus.accel.Convolution.Window;

/** Rows of maps that are computed at a time. */
final class Strips {
  /** About what a strip of maps takes. */
  private static final long BYTES = 8L << 20;

  /** Fewer rows would be computed too often, as each strip is made of more than it gives. */
  private static final int MIN_ROWS = 16;

  private Strips() {}

  /**
   * How many rows a strip has: an even number, so that tiles of two by two are those of the whole
   * maps, or all.
   *
   * @param beside rows that it is made of besides
   */
  static int rows(Size size, int beside) {
    long rowBytes = 4L * size.width() * size.channels();
    int most = (int) Math.clamp(BYTES / rowBytes - beside, MIN_ROWS, 1 << 20);
    return Math.min(size.height(), most / 2 * 2);
  }

  /**
   * The convolution of some rows, over rows of which there is one more above and below.
   *
   * @param c of the whole maps, whose bias and kernel it has
   * @param source address of the rows
   * @param added address of what is added; 0 for nothing
   * @param target address of the result's first number
   * @param height rows of the result
   * @param plane numbers from a channel of the result to the next
   */
  static Convolution of(
      Convolution c, long source, long added, long target, int height, long plane) {
    Window w = c.window();
    int width = c.to().width();
    return new Convolution(
        source,
        c.kernel(),
        c.bias(),
        added,
        target,
        new Size(width, height + 2, c.from().channels()),
        new Size(width, height, c.to().channels()),
        plane,
        1,
        new Window(w.width(), w.height(), 1, 1, w.paddingX(), 0, 1, 1),
        false);
  }
}
