package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class GeluTest {
  /** {@code x · Φ(x)} in double precision, by the series of the error function. */
  private static double exact(double x) {
    double z = x / Math.sqrt(2);
    if (Math.abs(z) > 5) {
      return z > 0 ? x : 0;
    }
    double sum = 0;
    double term = z;
    for (int n = 0; Math.abs(term) > 1e-18; n++) {
      sum += term / (2 * n + 1);
      term *= -z * z / (n + 1);
    }
    return 0.5 * x * (1 + 2 / Math.sqrt(Math.PI) * sum);
  }

  @Test
  void isAsExactAsSinglePrecisionAllows() {
    int n = 120_001;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i - 60_000) / 10_000f;
    }
    float[] found = values.clone();
    Gelu.apply(found, n);
    double worst = 0;
    for (int i = 0; i < n; i++) {
      worst = Math.max(worst, Math.abs(found[i] - exact(values[i])));
    }
    assertThat(worst).isLessThan(1.4e-6);
  }

  @Test
  void keepsLargeNumbersAndWhatIsNone() {
    float[] values = {0f, 1e30f, -1e30f, Float.POSITIVE_INFINITY, Float.NaN, -0f, 50f, -50f};
    Gelu.apply(values, values.length);
    assertThat(values[0]).isZero();
    assertThat(values[1]).isEqualTo(1e30f);
    assertThat(Math.abs(values[2])).isZero();
    assertThat(values[3]).isInfinite();
    assertThat(values[4]).isNaN();
    assertThat(values[6]).isEqualTo(50f);
    assertThat(Math.abs(values[7])).isZero();
  }

  @Test
  void givesTheSameWhereverAnElementStands() {
    int n = 5003;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) Math.sin(i) * 4;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(4L * n, 64);
      MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_FLOAT, 0, n);
      new Elements(ElementFunction.GELU, memory.address(), 0, memory.address(), n).compute(0, n);
      for (int i = 0; i < n; i++) {
        float[] alone = {values[i]};
        Gelu.apply(alone, 1);
        assertThat(memory.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(alone[0]);
      }
    }
  }
}
