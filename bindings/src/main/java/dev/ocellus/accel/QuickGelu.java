package dev.ocellus.accel;

/**
 * {@code x · sigmoid(1.702 x)}, CLIP's activation, in one pass instead of three. Results are within
 * 2e-6 of double precision for {@code |x| ≤ 8}. What comes of an element does not depend on where
 * it stands.
 */
final class QuickGelu {
  private static final float FACTOR = 1.702f;

  private QuickGelu() {}

  static void apply(float[] values, int n) {
    for (int i = 0; i < n; i++) {
      values[i] *= Silu.sigmoid(FACTOR * values[i]);
    }
  }
}
