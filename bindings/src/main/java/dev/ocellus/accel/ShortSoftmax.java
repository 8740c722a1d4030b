package dev.ocellus.accel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Softmax of rows of few scores, such as those of a text: as each loop over one of them is short,
 * what costs most, exponentials, is computed of many rows at once ({@link Softmax} has them one by
 * one). For one thread at a time.
 */
final class ShortSoftmax {
  /** Rows with fewer numbers are short. */
  static final int WIDTH = 512;

  /** Numbers that are computed at once: with what they need they stay in the nearest cache. */
  private static final int AT_ONCE = 2048;

  private final float[] values = new float[AT_ONCE];
  private final float[] byRow = new float[AT_ONCE];
  private final float[] powers = new float[AT_ONCE];
  private final int[] bits = new int[AT_ONCE];

  /**
   * Puts weights, whose sum is 1, in the place of the scores of rows that lie one after the other.
   *
   * @param address of the first row
   * @param count rows
   * @param n numbers of a row
   * @param scale above 0
   * @param seen which of the numbers count, in the order of the rows; null for all
   */
  void weigh(long address, int count, int n, float scale, @Nullable SeenScores seen) {
    int nRows = AT_ONCE / n;
    for (int first = 0; first < count; first += nRows) {
      int rows = Math.min(nRows, count - first);
      long at = address + 4L * first * n;
      NativeFloats.read(at, values, 0, rows * n);
      weigh(first, rows, n, scale, seen);
      NativeFloats.write(values, 0, at, rows * n);
    }
  }

  private void weigh(int first, int rows, int n, float scale, @Nullable SeenScores seen) {
    int all = rows * n;
    for (int i = 0; i < rows; i++) {
      int row = i * n;
      if (seen == null) {
        fill(row, n, max(values, row, row + n));
      } else {
        seen.add(first + i, values, row, 1 / scale);
        fill(row, n, max(values, row + seen.from(first + i), row + seen.to(first + i)));
      }
    }
    subtract(values, byRow, all);
    Softmax.exponents(values, bits, all, 0, scale);
    NativeFloats.reinterpret(bits, powers, all);
    Softmax.multiply(values, powers, all);
    for (int i = 0; i < rows; i++) {
      int row = i * n;
      if (seen != null) {
        seen.hide(first + i, values, row);
      }
      float sum = sum(values, row, row + n);
      fill(row, n, sum == 0 ? 0 : 1 / sum);
    }
    Softmax.multiply(values, byRow, all);
  }

  private void fill(int row, int n, float number) {
    Arrays.fill(byRow, row, row + n, number);
  }

  /** Of the numbers; what is none stays in its place. */
  private static float max(float[] values, int from, int to) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) {
      if (values[i] > max) {
        max = values[i];
      }
    }
    return max;
  }

  private static void subtract(float[] values, float[] others, int n) {
    for (int i = 0; i < n; i++) {
      values[i] -= others[i];
    }
  }

  /** In four parts, so that one addition need not wait for the one before it. */
  private static float sum(float[] values, int from, int to) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = from;
    for (; i < to - 3; i += 4) {
      s0 += values[i];
      s1 += values[i + 1];
      s2 += values[i + 2];
      s3 += values[i + 3];
    }
    for (; i < to; i++) {
      s0 += values[i];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
