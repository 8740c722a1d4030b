package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.vlm.nn.Linear;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinearTest {
  private static final int OUT = 8;
  private static final int ROWS = 5;

  /** 3420 is Qwen2.5-VL's width, which no kernel divides; 20 is less than a kernel takes. */
  @ParameterizedTest
  @ValueSource(ints = {20, 32, 44, 3420})
  void isExactForRowsOfAnyLength(int nIn) throws IOException {
    assertThat(error(nIn, MatrixPrecision.EXACT)).isLessThan(2e-5);
  }

  @Test
  void roundsInBf16() throws IOException {
    assertThat(error(44, MatrixPrecision.BF16)).isBetween(1e-3, 1e-1);
  }

  /** The largest difference from products in double precision, for weights of F16. */
  private double error(int nIn, MatrixPrecision precision) throws IOException {
    var random = new Random(nIn);
    float[] weights = new float[nIn * OUT];
    ByteBuffer halves = ByteBuffer.allocateDirect(2 * weights.length);
    halves.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < weights.length; i++) {
      short half = Float.floatToFloat16((float) (random.nextGaussian() / Math.sqrt(nIn)));
      halves.putShort(half);
      weights[i] = Float.float16ToFloat(half);
    }
    float[] x = OneLayer.gaussians(nIn * ROWS, nIn + 1);
    GgufWriter file =
        OneLayer.weights()
            .tensor(
                "weight",
                TensorType.F16,
                new Memory(MemorySegment.ofBuffer(halves.flip())),
                nIn,
                OUT);
    float[] found = OneLayer.compute(file, precision, w -> Linear.of(w, nIn, OUT)::forward, x, nIn);
    double error = 0;
    for (int row = 0; row < ROWS; row++) {
      for (int out = 0; out < OUT; out++) {
        double sum = 0;
        for (int i = 0; i < nIn; i++) {
          sum += (double) weights[out * nIn + i] * x[row * nIn + i];
        }
        error = Math.max(error, Math.abs(found[row * OUT + out] - sum));
      }
    }
    return error;
  }
}
