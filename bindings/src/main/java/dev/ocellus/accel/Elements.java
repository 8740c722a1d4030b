package dev.ocellus.accel;

/**
 * A function of elements that lie one after the other, each of which may then be multiplied by
 * another: what gates a feed-forward block.
 *
 * @param source address of the first
 * @param factors address of what the first result is multiplied by; 0 for nothing
 * @param target address of the first result; may be one of the others
 * @param count how many they are
 * @param bounds that the elements are held within before
 * @param factorBounds that the factors are held within before
 * @param resultBounds that the results are held within
 */
public record Elements(
    ElementFunction function,
    long source,
    long factors,
    long target,
    long count,
    Bounds bounds,
    Bounds factorBounds,
    Bounds resultBounds) {
  private static final int CHUNK = 2048;

  /** Elements, factors and results of any size. */
  public Elements(ElementFunction function, long source, long factors, long target, long count) {
    this(function, source, factors, target, count, Bounds.NONE, Bounds.NONE, Bounds.NONE);
  }

  /** Computes some of them, in pieces that stay in the nearest cache. */
  void compute(long first, long n) {
    float[] values = new float[(int) Math.min(CHUNK, n)];
    float[] others = new float[factors == 0 ? 0 : values.length];
    for (long done = 0; done < n; done += values.length) {
      int size = (int) Math.min(values.length, n - done);
      long at = 4 * (first + done);
      NativeFloats.read(source + at, values, 0, size);
      bounds.clip(values, size);
      function.apply(values, size);
      if (factors != 0) {
        NativeFloats.read(factors + at, others, 0, size);
        factorBounds.clip(others, size);
        multiply(values, others, size);
      }
      resultBounds.clip(values, size);
      NativeFloats.write(values, 0, target + at, size);
    }
  }

  private static void multiply(float[] values, float[] others, int n) {
    for (int i = 0; i < n; i++) {
      values[i] *= others[i];
    }
  }
}
