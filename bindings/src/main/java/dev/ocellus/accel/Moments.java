package dev.ocellus.accel;

/**
 * What a group of channels is normalized by.
 *
 * @param factor one divided by the deviation
 */
record Moments(float mean, float factor) {
  /** Those that change nothing. */
  static final Moments NONE = new Moments(0, 1);

  /**
   * Of numbers that lie one after the other. The mean comes first, then what is left of each number
   * without it, so that a large mean costs no digits.
   *
   * @param eps that is added to the variance
   * @param values what is worked with
   */
  static Moments of(long address, long n, float eps, float[] values) {
    float mean = (float) (sum(address, n, 0, false, values) / n);
    double variance = sum(address, n, mean, true, values) / n;
    return new Moments(mean, (float) (1 / Math.sqrt(variance + eps)));
  }

  /** Sum of {@code x - mean}, or of its squares. */
  static double sum(long address, long n, float mean, boolean squares, float[] values) {
    double[] sums = new double[values.length];
    for (long done = 0; done < n; done += values.length) {
      int count = (int) Math.min(values.length, n - done);
      NativeFloats.read(address + 4 * done, values, 0, count);
      if (squares) {
        addSquares(values, mean, sums, count);
      } else {
        add(values, sums, count);
      }
    }
    double sum = 0;
    for (double each : sums) {
      sum += each;
    }
    return sum;
  }

  private static void add(float[] values, double[] sums, int n) {
    for (int i = 0; i < n; i++) {
      sums[i] += values[i];
    }
  }

  private static void addSquares(float[] values, float mean, double[] sums, int n) {
    for (int i = 0; i < n; i++) {
      float x = values[i] - mean;
      sums[i] += x * x;
    }
  }
}
