package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/** Means over squares of patches, each of which becomes one row. */
public final class SquareMeans {
  private SquareMeans() {}

  /**
   * From [nEmbd, gridX, gridY, n] to [nEmbd, gridX / side · gridY / side, n], line by line.
   *
   * @param x contiguous
   * @param side patches of a square's side, a divisor of both sizes of the grid
   */
  public static Tensor of(Tensor x, long side) {
    long nEmbd = x.size(0);
    long nx = x.size(1) / side;
    long ny = x.size(2) / side;
    long n = x.size(3);
    // along the lines, then down the columns
    Tensor lines = sumOfMiddle(x.reshape(nEmbd, side, nx, ny * side * n));
    Tensor squares = sumOfMiddle(lines.reshape(nEmbd * nx, side, ny, n));
    return squares.scale(1f / (side * side)).reshape(nEmbd, nx * ny, n);
  }

  /** [a, k, b, c] to [a, 1, b, c]. */
  private static Tensor sumOfMiddle(Tensor x) {
    Tensor sum = middle(x, 0);
    for (int i = 1; i < x.size(1); i++) {
      sum = sum.add(middle(x, i));
    }
    return sum;
  }

  private static Tensor middle(Tensor x, int i) {
    return x.slice(new long[] {0, i}, x.size(0), 1, x.size(2), x.size(3)).contiguous();
  }
}
