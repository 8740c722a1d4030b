package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.GgmlException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionTest {
  private static final int WIDTH = 32;
  private static final int HEADS = 3;

  /** F32 sums of 32 and of n products; F16 keys or values would be off by 1e-3. */
  private static final double TOLERANCE = 5e-6;

  /** ggml computes few rows one by one and many in tiles; 130 leaves a tile that is not full. */
  @ParameterizedTest
  @ValueSource(ints = {5, 130})
  void isExactInF32OnTheCpu(int n) {
    var random = new Random(n);
    float[] q = normal(random, WIDTH * n * HEADS);
    float[] k = normal(random, WIDTH * n * HEADS);
    float[] v = normal(random, WIDTH * n * HEADS);
    float scale = (float) (1 / Math.sqrt(WIDTH));
    double[] expected = attention(q, k, v, n, scale);
    try (var backend = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor queries = builder.input("q", WIDTH, n, HEADS);
      Tensor keys = builder.input("k", WIDTH, n, HEADS);
      Tensor values = builder.input("v", WIDTH, n, HEADS);
      Tensor out = queries.attention(keys, values, scale);
      try (Graph graph = builder.build(out);
          var computation = scheduler.start(graph)) {
        float[] found = computation.set(queries, q).set(keys, k).set(values, v).compute().get(out);
        assertThat(out.shape()).containsExactly(WIDTH, HEADS, n, 1);
        for (int i = 0; i < found.length; i++) {
          assertThat((double) found[i]).isCloseTo(expected[i], within(TOLERANCE));
        }
        scheduler.forget(graph);
      }
    }
  }

  @Test
  void refusesKeysOfAnotherWidth() {
    try (var builder = new GraphBuilder()) {
      Tensor queries = builder.input("q", WIDTH, 4, HEADS);
      Tensor keys = builder.input("k", WIDTH / 2, 4, HEADS);
      assertThatThrownBy(() -> queries.attention(keys, keys, 1))
          .isInstanceOf(GgmlException.class)
          .hasMessageContaining("do not fit each other");
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double tolerance) {
    return org.assertj.core.data.Offset.offset(tolerance);
  }

  private static float[] normal(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** The definition, in doubles; the result is [width, head, row]. */
  private static double[] attention(float[] q, float[] k, float[] v, int n, float scale) {
    double[] out = new double[q.length];
    for (int head = 0; head < HEADS; head++) {
      for (int row = 0; row < n; row++) {
        double[] weights = new double[n];
        double sum = 0;
        for (int key = 0; key < n; key++) {
          double dot = 0;
          for (int i = 0; i < WIDTH; i++) {
            dot += (double) q[(head * n + row) * WIDTH + i] * k[(head * n + key) * WIDTH + i];
          }
          weights[key] = Math.exp(scale * dot);
          sum += weights[key];
        }
        for (int i = 0; i < WIDTH; i++) {
          double mixed = 0;
          for (int key = 0; key < n; key++) {
            mixed += weights[key] / sum * v[(head * n + key) * WIDTH + i];
          }
          out[(row * HEADS + head) * WIDTH + i] = mixed;
        }
      }
    }
    return out;
  }
}
