package dev.ocellus.accel;

/**
 * {@code x · sigmoid(x)} in loops that the JVM compiles to vector instructions, by {@code
 * sigmoid(x) = (1 + tanh(x / 2)) / 2}.
 *
 * <p>The hyperbolic tangent is {@code z} times a quotient of polynomials in {@code z²}, fitted by
 * least squares to 4e-11 up to where it rounds to 1. Results are within 2e-6 of double precision
 * for {@code |x| ≤ 8} and within 4e-7 of {@code |x|} everywhere. What comes of an element does not
 * depend on where it stands.
 */
final class Silu {
  private static final float LIMIT = 9.1f;

  private static final float P1 = 0.14093515276908875f;
  private static final float P2 = 0.0044183796271681786f;
  private static final float P3 = 4.2080388084286824e-05f;
  private static final float P4 = 1.100857645042197e-07f;
  private static final float P5 = 3.608219625861331e-11f;
  private static final float Q1 = 0.47426846623420715f;
  private static final float Q2 = 0.02917454019188881f;
  private static final float Q3 = 0.0004993830807507038f;
  private static final float Q4 = 2.58602949543274e-06f;
  private static final float Q5 = 2.9112658950225523e-09f;

  private Silu() {}

  static void apply(float[] values, int n) {
    for (int i = 0; i < n; i++) {
      values[i] *= sigmoid(values[i]);
    }
  }

  static float sigmoid(float x) {
    float z = Math.min(Math.max(0.5f * x, -LIMIT), LIMIT);
    float t = z * z;
    float p = ((((P5 * t + P4) * t + P3) * t + P2) * t + P1) * t + 1;
    float q = ((((Q5 * t + Q4) * t + Q3) * t + Q2) * t + Q1) * t + 1;
    float tanh = Math.min(Math.max(z * p / q, -1f), 1f);
    return 0.5f * (1 + tanh);
  }
}
