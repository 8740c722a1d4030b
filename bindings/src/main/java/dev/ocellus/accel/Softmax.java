package dev.ocellus.accel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code e^(scale · (x - max))} of the numbers of a row, and their sum, in loops that the JVM
 * compiles to vector instructions. For one thread at a time.
 *
 * <p>The exponential is {@code 2^n · e^r} with {@code |r|} at most half of ln 2, where seven terms
 * of the series leave 5e-9. The JVM has no vector instruction that makes a float of its bits, so
 * the bits of {@code 2^n} are written as whole numbers and copied as floats. Results are within
 * 2e-7 of double precision, relative to the result; below e^-87 they stay at that.
 */
final class Softmax {
  /** Partial results that are kept beside each other; a power of two. */
  private static final int LANES = 512;

  /** So many of them are joined one by one. */
  private static final int FOLDED = 16;

  private static final float SMALLEST = -87;
  private static final float LOG2_E = 1.4426950408889634f;

  /** ln 2 in two parts, of which the first has few digits: whole numbers times it are exact. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.1219444005469057e-4f;

  /** Added and taken away again, it leaves the nearest whole number. */
  private static final float ROUNDING = 12582912f;

  private static final int BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  private final float[] values;
  private final float[] powers;
  private final int[] bits;
  private final float[] lanes = new float[LANES];
  private final float[] others = new float[LANES];

  /**
   * @param width of a row
   */
  Softmax(int width) {
    values = new float[width];
    powers = new float[width];
    bits = new int[width];
  }

  int width() {
    return values.length;
  }

  /**
   * Puts the exponentials in the place of a row.
   *
   * @param row address of floats
   * @param scale above 0
   * @param seen which of them count, and what is added to those when they are scaled; null for all,
   *     and nothing. Of the others 0 remains.
   * @param number of the row among those
   * @return their sum; 0 if none counts
   */
  float exponentials(long row, float scale, @Nullable SeenScores seen, int number) {
    int n = values.length;
    NativeFloats.read(row, values, 0, n);
    if (seen != null) {
      Arrays.fill(values, 0, seen.from(number), Float.NEGATIVE_INFINITY);
      Arrays.fill(values, seen.to(number), n, Float.NEGATIVE_INFINITY);
      seen.add(number, values, 0, 1 / scale);
    }
    exponents(values, bits, n, max(n), scale);
    NativeFloats.reinterpret(bits, powers, n);
    multiply(values, powers, n);
    if (seen != null) {
      seen.hide(number, values, 0);
    }
    NativeFloats.write(values, 0, row, n);
    return sum(n);
  }

  /** Numbers are brought beside the lanes: two places of arrays are not compiled so. */
  private float max(int n) {
    Arrays.fill(lanes, Float.NEGATIVE_INFINITY);
    for (int from = 0; from < n; from += LANES) {
      int count = Math.min(LANES, n - from);
      System.arraycopy(values, from, others, 0, count);
      raise(lanes, others, count);
    }
    for (int half = LANES / 2; half >= FOLDED; half /= 2) {
      System.arraycopy(lanes, half, others, 0, half);
      raise(lanes, others, half);
    }
    float max = lanes[0];
    for (int i = 1; i < FOLDED; i++) {
      max = Math.max(max, lanes[i]);
    }
    return max;
  }

  private static void raise(float[] lanes, float[] others, int n) {
    for (int i = 0; i < n; i++) {
      lanes[i] = Math.max(lanes[i], others[i]);
    }
  }

  /** Leaves {@code e^r} of each number, and the bits of {@code 2^n}. */
  static void exponents(float[] values, int[] bits, int count, float max, float scale) {
    for (int i = 0; i < count; i++) {
      float x = Math.max(scale * (values[i] - max), SMALLEST);
      float n = x * LOG2_E + ROUNDING - ROUNDING;
      float r = x - n * LN2_HIGH - n * LN2_LOW;
      float p =
          ((((r * (1 / 5040f) + 1 / 720f) * r + 1 / 120f) * r + 1 / 24f) * r + 1 / 6f) * r + 0.5f;
      values[i] = (p * r + 1) * r + 1;
      bits[i] = ((int) n + BIAS) << MANTISSA_BITS;
    }
  }

  static void multiply(float[] values, float[] powers, int n) {
    for (int i = 0; i < n; i++) {
      values[i] *= powers[i];
    }
  }

  private float sum(int n) {
    Arrays.fill(lanes, 0);
    for (int from = 0; from < n; from += LANES) {
      int count = Math.min(LANES, n - from);
      System.arraycopy(values, from, others, 0, count);
      add(lanes, others, count);
    }
    for (int half = LANES / 2; half >= FOLDED; half /= 2) {
      System.arraycopy(lanes, half, others, 0, half);
      add(lanes, others, half);
    }
    float sum = 0;
    for (int i = 0; i < FOLDED; i++) {
      sum += lanes[i];
    }
    return sum;
  }

  private static void add(float[] lanes, float[] others, int n) {
    for (int i = 0; i < n; i++) {
      lanes[i] += others[i];
    }
  }
}
