package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.GgmlException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionTest {
  private static final int WIDTH = 32;
  private static final int HEADS = 3;

  private static final float SCALE = (float) (1 / Math.sqrt(WIDTH));

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
    double[] expected = attention(q, k, v, n, SCALE);
    try (var backend = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor queries = builder.input("q", WIDTH, n, HEADS);
      Tensor keys = builder.input("k", WIDTH, n, HEADS);
      Tensor values = builder.input("v", WIDTH, n, HEADS);
      Tensor out = queries.attention(keys, values, SCALE);
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

  /**
   * Blocks of queries that are not full, heads that share keys, items, values of another width, on
   * several threads: all the same numbers, near those in doubles.
   */
  @ParameterizedTest
  @CsvSource({"OPENBLAS, false, 5e-6", "ONEDNN, false, 5e-6", "AUTO, true, 2e-2"})
  void anAcceleratorComputesItInOneNode(Accelerator which, boolean rounded, double tolerance) {
    int n = 300;
    int nKeys = 270;
    int valueWidth = 48;
    int nItems = 2;
    var random = new Random(n);
    float[] q = normal(random, WIDTH * n * 2 * HEADS * nItems);
    float[] k = normal(random, WIDTH * nKeys * HEADS * nItems);
    float[] v = normal(random, valueWidth * nKeys * HEADS * nItems);
    float[] first = null;
    for (int nThreads : new int[] {1, 2, 5}) {
      try (var taken = Accel.find(which).orElseThrow().newBackend(nThreads);
          var cpu = new Backend(Device.cpu(), 1);
          var scheduler = new Scheduler(taken, cpu);
          var builder = new GraphBuilder()) {
        // heads beside each other in a row, as linear layers give them
        Tensor queries = builder.input("q", WIDTH, 2 * HEADS, n, nItems);
        Tensor keys = builder.input("k", WIDTH, HEADS, nKeys, nItems);
        Tensor values = builder.input("v", valueWidth, HEADS, nKeys, nItems);
        Tensor out =
            byHead(queries).attention(byHead(keys), byHead(values), SCALE).accelerated(rounded);
        try (Graph graph = builder.build(out);
            var computation = scheduler.start(graph)) {
          float[] found =
              computation.set(queries, q).set(keys, k).set(values, v).compute().get(out);
          assertThat(out.shape()).containsExactly(valueWidth, 2 * HEADS, n, nItems);
          if (first == null) {
            assertShared(found, q, k, v, new int[] {n, nKeys, valueWidth, nItems}, tolerance);
            first = found;
          }
          assertThat(found).isEqualTo(first);
        }
      }
    }
  }

  /** Without an accelerator the mark changes nothing; with one, its numbers are others. */
  @Test
  void whatIsMarkedIsComputedByGgmlWhereThereIsNoAccelerator() {
    int n = 300;
    float[] x = normal(new Random(1), WIDTH * n * HEADS);
    float[] plain = computed(x, n, false, false);
    assertThat(computed(x, n, true, false)).isEqualTo(plain);
    assertThat(computed(x, n, false, true)).isEqualTo(plain); // nobody asked for it
    assertThat(computed(x, n, true, true)).isNotEqualTo(plain);
  }

  private static float[] computed(float[] x, int n, boolean marked, boolean accelerated) {
    try (var taken = Accel.find(Accelerator.AUTO).orElseThrow().newBackend(2);
        var cpu = new Backend(Device.cpu(), 2);
        var scheduler = accelerated ? new Scheduler(taken, cpu) : new Scheduler(cpu);
        var builder = new GraphBuilder()) {
      Tensor input = builder.input("x", WIDTH, n, HEADS);
      Tensor out = input.attention(input, input, SCALE);
      try (Graph graph = builder.build(marked ? out.accelerated(true) : out);
          var computation = scheduler.start(graph)) {
        return computation.set(input, x).compute().get(out);
      }
    }
  }

  /** [width, nHead, n, items] to [width, n, nHead, items]. */
  private static Tensor byHead(Tensor x) {
    return x.permute(0, 2, 1, 3);
  }

  /**
   * Compares with the definition in doubles, where two heads of queries share one of the keys.
   *
   * @param sizes queries, keys, width of values, items
   */
  private static void assertShared(
      float[] found, float[] q, float[] k, float[] v, int[] sizes, double tolerance) {
    int n = sizes[0];
    int nKeys = sizes[1];
    int width = sizes[2];
    for (int row = 0; row < n * sizes[3]; row++) {
      int firstKey = row / n * nKeys;
      for (int head = 0; head < 2 * HEADS; head++) {
        double[] weights = new double[nKeys];
        double sum = 0;
        for (int key = 0; key < nKeys; key++) {
          int at = ((firstKey + key) * HEADS + head / 2) * WIDTH;
          weights[key] = Math.exp(SCALE * dot(q, (row * 2 * HEADS + head) * WIDTH, k, at));
          sum += weights[key];
        }
        for (int i = 0; i < width; i++) {
          double mixed = 0;
          for (int key = 0; key < nKeys; key++) {
            mixed += weights[key] / sum * v[((firstKey + key) * HEADS + head / 2) * width + i];
          }
          assertThat((double) found[(row * 2 * HEADS + head) * width + i])
              .isCloseTo(mixed, within(tolerance));
        }
      }
    }
  }

  private static double dot(float[] a, int atA, float[] b, int atB) {
    double sum = 0;
    for (int i = 0; i < WIDTH; i++) {
      sum += (double) a[atA + i] * b[atB + i];
    }
    return sum;
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
