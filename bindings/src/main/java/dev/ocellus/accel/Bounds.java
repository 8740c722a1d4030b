package dev.ocellus.accel;

/**
 * Ends of a range that numbers are held within.
 *
 * @param low the least; may be minus infinity
 * @param high the largest; may be infinity
 */
public record Bounds(float low, float high) {
  /** A range of all numbers, to which nothing has to be done. */
  public static final Bounds NONE = new Bounds(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);

  private boolean isOpen() {
    return low == Float.NEGATIVE_INFINITY && high == Float.POSITIVE_INFINITY;
  }

  /** Puts the first {@code n} numbers within the range. */
  void clip(float[] values, int n) {
    if (!isOpen()) {
      clip(values, n, low, high);
    }
  }

  private static void clip(float[] values, int n, float low, float high) {
    for (int i = 0; i < n; i++) {
      values[i] = Math.max(Math.min(values[i], high), low);
    }
  }
}
