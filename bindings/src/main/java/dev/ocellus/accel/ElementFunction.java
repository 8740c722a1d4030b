package dev.ocellus.accel;

/** A function of numbers, each for itself. */
public enum ElementFunction {
  /** GELU by the error function. */
  GELU,
  /** GELU by the hyperbolic tangent. */
  GELU_TANH;

  private static final int CHUNK = 2048;

  /**
   * Computes elements, which may stay where they are.
   *
   * @param source address of the first
   * @param target address of the first result
   */
  void apply(long source, long target, long count) {
    float[] values = new float[(int) Math.min(CHUNK, count)];
    for (long done = 0; done < count; done += values.length) {
      int n = (int) Math.min(values.length, count - done);
      NativeFloats.read(source + 4 * done, values, 0, n);
      switch (this) {
        case GELU -> Gelu.apply(values, n);
        case GELU_TANH -> GeluTanh.apply(values, n);
      }
      NativeFloats.write(values, 0, target + 4 * done, n);
    }
  }
}
