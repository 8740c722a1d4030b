package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionWeightsTest {
  private static final float HIDDEN = Float.NEGATIVE_INFINITY;
  private static final float SCALE = 0.125f;
  private static final int ROWS = 41;

  /** What a mask has for a score; among the rows are some of which nothing counts. */
  private static float added(int row, int i, int n) {
    return switch (row % 6) {
      case 0 -> 0;
      case 1 -> i <= row ? 0 : HIDDEN;
      case 2 -> i >= n / 3 ? 0 : HIDDEN;
      case 3 -> (i + row) % 3 == 0 ? HIDDEN : -0.25f * (i % 5);
      case 4 -> HIDDEN;
      default -> i == n - 1 || i == 0 ? 0 : HIDDEN;
    };
  }

  private static float[] scores(int n) {
    Random random = new Random(n);
    float[] scores = new float[ROWS * n];
    for (int i = 0; i < scores.length; i++) {
      // those that are hidden may be larger than all others
      scores[i] = (float) (random.nextGaussian() * (i % 3 == 0 ? 400 : 20));
    }
    return scores;
  }

  /** Of all rows, divided by their sums. */
  private static float[] weights(float[] scores, int n, float @Nullable [] mask, float scale) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, scores);
      int rows = scores.length / n;
      SeenScores seen = null;
      if (mask != null) {
        short[] halves = new short[mask.length];
        for (int i = 0; i < halves.length; i++) {
          halves[i] = Float.floatToFloat16(mask[i]);
        }
        MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_SHORT, halves);
        var where = new ScoreMask(copy.address(), 2L * n, 0, 0, 1, 1);
        seen = new SeenScores(SeenKeys.of(where, rows, n), 0, 0, n);
      }
      float[] sums = new AttentionWeights(scale).weigh(memory.address(), rows, n, seen);
      float[] found = memory.toArray(ValueLayout.JAVA_FLOAT);
      for (int i = 0; i < found.length && sums != null; i++) {
        found[i] = sums[i / n] == 0 ? found[i] : found[i] / sums[i / n];
      }
      return found;
    }
  }

  private static double[] expected(float[] scores, int n, float @Nullable [] mask) {
    double[] weights = new double[scores.length];
    for (int row = 0; row < scores.length; row += n) {
      double max = Double.NEGATIVE_INFINITY;
      for (int i = row; i < row + n; i++) {
        weights[i] = scores[i] * SCALE + (mask == null ? 0 : mask[i]);
        max = Math.max(max, weights[i]);
      }
      double sum = 0;
      for (int i = row; i < row + n; i++) {
        weights[i] = max == HIDDEN ? 0 : Math.exp(weights[i] - max);
        sum += weights[i];
      }
      for (int i = row; i < row + n && sum > 0; i++) {
        weights[i] /= sum;
      }
    }
    return weights;
  }

  /** Rows that are computed many at a time, just not any more, and one by one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 17, 77, 511, 512, 700})
  void areAsExactAsSinglePrecisionAllows(int n) {
    float[] scores = scores(n);
    float[] mask = new float[scores.length];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = added(i / n, i % n, n);
    }
    for (float[] each : new float[][] {null, mask}) {
      float[] found = weights(scores, n, each, SCALE);
      double[] expected = expected(scores, n, each);
      for (int i = 0; i < found.length; i++) {
        // arguments up to 100 have single precision as well
        assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-5 * expected[i] + 1e-30);
        assertThat(each != null && each[i] == HIDDEN && found[i] != 0).isFalse();
      }
    }
  }

  /** The smallest number of F16 hides nothing. */
  @ParameterizedTest
  @ValueSource(ints = {4, 600})
  void hideNothingButMinusInfinity(int n) {
    float[] mask = new float[n];
    Arrays.fill(mask, -65504f);
    assertThat(weights(new float[n], n, mask, 1)).containsOnly(1f / n);
  }

  /** Of a row that is none, nothing comes that is one; the row beside it is as it was. */
  @Test
  void tellWhatIsNoNumber() {
    float[] found = weights(new float[] {0, Float.NaN, 1, 3, 3, 3}, 3, null, 1);
    assertThat(new float[] {found[0], found[1], found[2]}).containsOnly(Float.NaN);
    assertThat(new float[] {found[3], found[4], found[5]}).containsOnly(1 / 3f);
  }
}
