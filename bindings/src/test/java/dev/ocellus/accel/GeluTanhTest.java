package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GeluTanhTest {
  private static double exact(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  @Test
  void isAsExactAsSinglePrecisionAllows() {
    int n = 200_001;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i - 100_000) / 5_000f;
    }
    float[] found = values.clone();
    GeluTanh.apply(found, n);
    for (int i = 0; i < n; i++) {
      double limit = Math.max(2e-6, 4e-7 * Math.abs(values[i]));
      assertThat(Math.abs(found[i] - exact(values[i]))).as("of %s", values[i]).isLessThan(limit);
    }
  }

  @Test
  void keepsLargeNumbersAndWhatIsNone() {
    float[] values = {0f, 1e30f, -1e30f, Float.POSITIVE_INFINITY, Float.NaN, 50f, -50f};
    GeluTanh.apply(values, values.length);
    assertThat(values[0]).isZero();
    assertThat(values[1]).isEqualTo(1e30f);
    assertThat(Math.abs(values[2])).isZero();
    assertThat(values[3]).isInfinite();
    assertThat(values[4]).isNaN();
    assertThat(values[5]).isEqualTo(50f);
    assertThat(Math.abs(values[6])).isZero();
  }
}
