package dev.ocellus.tests.vlm.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaskedAttentionTest {
  private static final int WIDTH = 20; // no multiple of what the kernel takes
  private static final int HEADS = 4;
  private static final int HEADS_KV = 2;
  private static final int BATCH = 2;

  /** F32 sums of 20 and of nKeys products; F16 keys or values would be off by 1e-3. */
  private static final double TOLERANCE = 5e-6;

  /** Few and many queries, a decoder's single query, and so many that they go in parts. */
  @ParameterizedTest
  @CsvSource({
    "FUSED, 5, 9",
    "FUSED, 130, 131",
    "FUSED, 1, 40",
    "FUSED, 2, 600",
    "ACCELERATED, 5, 9",
    "ACCELERATED, 130, 131",
    "ACCELERATED, 700, 900",
    "STEPWISE, 5, 9",
    "STEPWISE, 130, 131",
    "STEPWISE, 1500, 1500"
  })
  void isExactWithAMask(AttentionKernel kernel, int nQueries, int nKeys) {
    check(kernel, nQueries, nKeys, false);
  }

  /** Of few rows ggml's kernels compute it all the same. */
  @ParameterizedTest
  @CsvSource({
    "ACCELERATED, 5, 9",
    "ACCELERATED, 130, 131",
    "ACCELERATED, 700, 900",
    "ROUNDED, 130, 131" // too little to round it
  })
  void isExactWithAMaskAndAnAccelerator(AttentionKernel kernel, int nQueries, int nKeys) {
    check(kernel, nQueries, nKeys, true);
  }

  private static void check(AttentionKernel kernel, int nQueries, int nKeys, boolean accelerated) {
    var random = new Random(nKeys);
    float[] q = normal(random, WIDTH * nQueries * HEADS * BATCH);
    float[] k = normal(random, WIDTH * nKeys * HEADS_KV * BATCH);
    float[] v = normal(random, WIDTH * nKeys * HEADS_KV * BATCH);
    float[] mask =
        AttentionMask.both(
            AttentionMask.padding(nQueries, nKeys, nKeys, Math.max(1, nKeys - 3)),
            AttentionMask.causal(nQueries, nKeys, nKeys - nQueries));
    float[] found;
    try (var taken = Accel.find(Accelerator.AUTO).orElseThrow().newBackend(2);
        var backend = new Backend(Device.cpu(), 2);
        var scheduler = accelerated ? new Scheduler(taken, backend) : new Scheduler(backend)) {
      found = compute(q, k, v, mask, nQueries, nKeys, kernel, scheduler);
    }
    int step = Math.max(1, nQueries / 40);
    for (int batch = 0; batch < BATCH; batch++) {
      for (int query = 0; query < nQueries; query += step) {
        for (int head = 0; head < HEADS; head++) {
          double[] expected = expected(q, k, v, mask, nQueries, nKeys, batch, head, query);
          int at = ((batch * nQueries + query) * HEADS + head) * WIDTH;
          for (int i = 0; i < WIDTH; i++) {
            assertThat((double) found[at + i]).isCloseTo(expected[i], within(TOLERANCE));
          }
        }
      }
    }
  }

  private static float[] compute(
      float[] q,
      float[] k,
      float[] v,
      float[] mask,
      int nQueries,
      int nKeys,
      AttentionKernel kernel,
      Scheduler scheduler) {
    try (var builder = new GraphBuilder()) {
      Tensor query = builder.input("q", WIDTH, nQueries, HEADS, BATCH);
      Tensor key = builder.input("k", WIDTH, nKeys, HEADS_KV, BATCH);
      Tensor value = builder.input("v", WIDTH, nKeys, HEADS_KV, BATCH);
      Tensor hidden = builder.input("mask", nKeys, nQueries, 1, BATCH);
      Tensor out = DotProductAttention.forward(query, key, value, AttentionMask.of(hidden), kernel);
      try (Graph graph = builder.build(out)) {
        float[] found;
        try (var computation = scheduler.start(graph)) {
          computation.set(query, q).set(key, k).set(value, v).set(hidden, mask);
          found = computation.compute().get(out);
        }
        scheduler.forget(graph);
        return found;
      }
    }
  }

  private static float[] normal(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** The definition, in doubles. */
  private static double[] expected(
      float[] q, float[] k, float[] v, float[] mask, int nq, int nk, int batch, int head, int row) {
    int query = ((batch * HEADS + head) * nq + row) * WIDTH;
    int keys = (batch * HEADS_KV + head * HEADS_KV / HEADS) * nk * WIDTH;
    double[] weights = new double[nk];
    double sum = 0;
    for (int key = 0; key < nk; key++) {
      double dot = 0;
      for (int i = 0; i < WIDTH; i++) {
        dot += (double) q[query + i] * k[keys + key * WIDTH + i];
      }
      weights[key] = Math.exp(dot / Math.sqrt(WIDTH) + mask[(batch * nq + row) * nk + key]);
      sum += weights[key];
    }
    double[] out = new double[WIDTH];
    for (int key = 0; key < nk; key++) {
      for (int i = 0; i < WIDTH; i++) {
        out[i] += weights[key] / sum * v[keys + key * WIDTH + i];
      }
    }
    return out;
  }

  @Test
  void refusesMasksThatLeaveAQueryNothing() {
    assertThatThrownBy(() -> AttentionMask.padding(2, 3, 0))
        .hasMessageContaining("lengths from 1 to 3, found 0");
    assertThatThrownBy(() -> AttentionMask.causal(3, 2, 0)).hasMessageContaining("do not fit");
  }
}
