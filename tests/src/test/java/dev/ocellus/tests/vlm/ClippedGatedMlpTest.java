package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Accel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.ClippedGatedMlp;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gated blocks whose layers hold what goes in and what comes out within ranges. */
class ClippedGatedMlpTest {
  private static final int EMBD = 24;
  private static final int FF = 160;
  private static final int ROWS = 70;
  private static final String[] LAYERS = {"ffn_gate", "ffn_up", "ffn_down"};
  private static final String[] ENDS = {"input_min", "input_max", "output_min", "output_max"};

  /**
   * All ranges narrow; one for the inputs of both first layers; and none, which files say by the
   * largest float. With an accelerator, which clips the hidden rows while it gates them, and
   * without.
   */
  @ParameterizedTest
  @CsvSource({
    "GELU_TANH, 0, 0.8, 1",
    "GELU_TANH, 0.2, 0.8, 1",
    "GELU_TANH, 0, 3.4028235e38, 1",
    "SILU, 0.2, 0.8, 1",
    "GELU_TANH, 0.2, 0.8, 0"
  })
  void holdsEachLayerWithinItsRanges(
      Activation activation, float difference, float end, int accelerated) throws IOException {
    float[][] weights = {weights(FF, EMBD, 1), weights(FF, EMBD, 2), weights(EMBD, FF, 3)};
    float[][] ends = new float[LAYERS.length][];
    for (int i = 0; i < ends.length; i++) {
      boolean all = end == Float.MAX_VALUE;
      float in = all ? end : end + i * difference;
      float out = all ? end : end - 0.1f * i;
      ends[i] = new float[] {all ? -in : -0.8f * in, in, all ? -out : -0.9f * out, out};
    }
    float[] x = OneLayer.gaussians(EMBD * ROWS, 4);
    float[] expected = expected(activation, weights, ends, x);
    assertThat(compute(activation, weights, ends, x, accelerated == 1))
        .usingComparatorWithPrecision(2e-5f)
        .containsExactly(expected);
  }

  private static double clip(double x, float low, float high) {
    return Math.clamp(x, low, high);
  }

  private static double apply(Activation activation, double x) {
    return activation == Activation.SILU
        ? x / (1 + Math.exp(-x))
        : 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  private static float[] expected(
      Activation activation, float[][] weights, float[][] ends, float[] x) {
    float[] expected = new float[EMBD * ROWS];
    for (int row = 0; row < ROWS; row++) {
      double[] in = new double[EMBD];
      for (int i = 0; i < EMBD; i++) {
        in[i] = x[row * EMBD + i];
      }
      double[] gate = layer(weights[0], ends[0], in, FF);
      double[] up = layer(weights[1], ends[1], in, FF);
      for (int i = 0; i < FF; i++) {
        gate[i] = apply(activation, gate[i]) * up[i];
      }
      double[] out = layer(weights[2], ends[2], gate, EMBD);
      for (int i = 0; i < EMBD; i++) {
        expected[row * EMBD + i] = (float) out[i];
      }
    }
    return expected;
  }

  private static double[] layer(float[] weights, float[] ends, double[] in, int nOut) {
    double[] out = new double[nOut];
    for (int i = 0; i < nOut; i++) {
      double sum = 0;
      for (int j = 0; j < in.length; j++) {
        sum += weights[i * in.length + j] * clip(in[j], ends[0], ends[1]);
      }
      out[i] = clip(sum, ends[2], ends[3]);
    }
    return out;
  }

  /** Such that sums are about as large as what goes in. */
  private static float[] weights(int nOut, int nIn, int seed) {
    float[] values = OneLayer.gaussians(nOut * nIn, seed);
    for (int i = 0; i < values.length; i++) {
      values[i] /= (float) Math.sqrt((double) nIn);
    }
    return values;
  }

  private static float[] compute(
      Activation activation, float[][] weights, float[][] ends, float[] x, boolean accelerated)
      throws IOException {
    GgufWriter file = OneLayer.weights();
    for (int i = 0; i < LAYERS.length; i++) {
      boolean down = i == LAYERS.length - 1;
      file.tensor(LAYERS[i] + ".weight", weights[i], down ? FF : EMBD, down ? EMBD : FF);
      for (int j = 0; j < ENDS.length; j++) {
        file.tensor(LAYERS[i] + "." + ENDS[j], new float[] {ends[i][j]}, 1);
      }
    }
    Optional<Accel> accel = accelerated ? Accel.find(Accelerator.AUTO) : Optional.empty();
    assumeTrue(accel.isPresent() == accelerated, "no accelerator");
    return OneLayer.compute(
        file,
        MatrixPrecision.EXACT,
        accel.orElse(null),
        w -> ClippedGatedMlp.of(w, EMBD, FF, activation)::forward,
        x,
        EMBD);
  }
}
