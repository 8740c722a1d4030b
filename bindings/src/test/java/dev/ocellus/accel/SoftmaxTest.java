package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SoftmaxTest {
  private static float[] random(int n, double range) {
    Random random = new Random(n);
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      row[i] = (float) (range * random.nextGaussian());
    }
    return row;
  }

  /** Replaces a row by its exponentials, and returns their sum. */
  private static float apply(float[] row, float scale) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, row);
      float sum = new Softmax(row.length).exponentials(memory.address(), scale, null, 0);
      MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, 0, row, 0, row.length);
      return sum;
    }
  }

  /** Fewer than the lanes, just as many, more, and many times that with some left. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 16, 17, 77, 511, 512, 513, 2520})
  void isAsExactAsSinglePrecisionAllows(int n) {
    float[] row = random(n, 20);
    float[] found = row.clone();
    float sum = apply(found, 0.125f);
    double max = Double.NEGATIVE_INFINITY;
    for (float x : row) {
      max = Math.max(max, x);
    }
    double expectedSum = 0;
    for (int i = 0; i < n; i++) {
      double y = (row[i] - max) * 0.125;
      expectedSum += Math.exp(y);
      // the argument has single precision as well
      assertThat(Math.abs(found[i] / Math.exp(y) - 1)).isLessThan(2e-7 + 1.2e-7 * Math.abs(y));
    }
    assertThat(Math.abs(sum / expectedSum - 1)).isLessThan(1e-6);
  }

  @Test
  void keepsExponentsThatNoFloatHas() {
    float[] row = {0, -1000, Float.NEGATIVE_INFINITY, -87, -86.5f};
    float sum = apply(row, 1);
    assertThat(sum).isEqualTo(1);
    assertThat(row[0]).isEqualTo(1);
    for (int i = 1; i < row.length; i++) {
      assertThat(row[i]).isBetween(0f, 1e-37f);
    }
  }

  @Test
  void tellsWhatIsNoNumber() {
    float[] row = {0, Float.NaN, 1};
    assertThat(apply(row, 1)).isNaN();
  }
}
