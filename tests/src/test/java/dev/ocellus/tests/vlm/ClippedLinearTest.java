package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.nn.ClippedLinear;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClippedLinearTest {
  private static final int IN = 32;
  private static final int OUT = 8;
  private static final int ROWS = 5;
  private static final float LARGEST = Float.MAX_VALUE;

  /** Ranges of what goes in and of what comes out; the largest float stands for an infinite end. */
  private record Ranges(float inMin, float inMax, float outMin, float outMax) {}

  @ParameterizedTest
  @CsvSource({
    "-0.5, 0.25, -0.75, 0.5",
    "-0.5, 3.4028235e38, -3.4028235e38, 0.5",
    "-3.4028235e38, 3.4028235e38, 0, 0.5",
    "-3.4028235e38, 3.4028235e38, -3.4028235e38, 3.4028235e38"
  })
  void holdsWhatGoesInAndWhatComesOutWithinTheirRanges(
      float inMin, float inMax, float outMin, float outMax) throws IOException {
    float[] weights = OneLayer.gaussians(IN * OUT, 1);
    float[] x = OneLayer.gaussians(IN * ROWS, 2);
    Ranges ranges = new Ranges(inMin, inMax, outMin, outMax);
    float[] expected = new float[OUT * ROWS];
    for (int row = 0; row < ROWS; row++) {
      for (int out = 0; out < OUT; out++) {
        double sum = 0;
        for (int i = 0; i < IN; i++) {
          sum += (double) weights[out * IN + i] * Math.clamp(x[row * IN + i], inMin, inMax);
        }
        expected[row * OUT + out] = (float) Math.clamp(sum, outMin, outMax);
      }
    }
    assertThat(compute(weights, x, ranges))
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(expected);
  }

  /** As in transformers, where such a range has infinite ends: nothing is computed for it. */
  @Test
  void keepsWhatIsInfiniteInARangeWithoutEnds() throws IOException {
    float[] weights = OneLayer.gaussians(IN * OUT, 1);
    float[] x = new float[IN * ROWS];
    x[0] = Float.POSITIVE_INFINITY;
    float[] found = compute(weights, x, new Ranges(-LARGEST, LARGEST, -LARGEST, LARGEST));
    for (int out = 0; out < OUT; out++) {
      assertThat(found[out]).isEqualTo(weights[out * IN] * Float.POSITIVE_INFINITY);
    }
  }

  private static float[] compute(float[] weights, float[] x, Ranges ranges) throws IOException {
    GgufWriter file =
        OneLayer.weights()
            .tensor("weight", weights, IN, OUT)
            .tensor("input_min", new float[] {ranges.inMin}, 1)
            .tensor("input_max", new float[] {ranges.inMax}, 1)
            .tensor("output_min", new float[] {ranges.outMin}, 1)
            .tensor("output_max", new float[] {ranges.outMax}, 1);
    return OneLayer.compute(
        file, MatrixPrecision.EXACT, w -> ClippedLinear.of(w, IN, OUT)::forward, x, IN);
  }
}
