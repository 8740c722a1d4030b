package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuickGeluTest {
  @Test
  void isAsExactAsSinglePrecisionAllows() {
    int n = 400_001;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i - 200_000) / 5_000f;
    }
    float[] found = values.clone();
    QuickGelu.apply(found, n);
    for (int i = 0; i < n; i++) {
      double x = values[i];
      double limit = Math.abs(x) <= 8 ? 2e-6 : 4e-7 * Math.abs(x);
      assertThat(Math.abs(found[i] - x / (1 + Math.exp(-1.702 * x))))
          .as("of %s", x)
          .isLessThan(limit);
    }
  }

  @Test
  void keepsLargeNumbersAndWhatIsNone() {
    float[] values = {0f, 1e30f, -1e30f, Float.POSITIVE_INFINITY, Float.NaN, 50f, -50f};
    QuickGelu.apply(values, values.length);
    assertThat(values[0]).isZero();
    assertThat(values[1]).isEqualTo(1e30f);
    assertThat(Math.abs(values[2])).isZero();
    assertThat(values[3]).isInfinite();
    assertThat(values[4]).isNaN();
    assertThat(values[5]).isEqualTo(50f);
    assertThat(Math.abs(values[6])).isZero();
  }
}
