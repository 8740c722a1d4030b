package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionMemoryTest {
  private static final int WIDTH = 80;
  private static final int HEADS = 16;

  /** 16384 rows are an image of 4096 tokens for Qwen2.5-VL; all their scores are 16 GiB. */
  @ParameterizedTest
  @CsvSource({"FUSED, 400", "STEPWISE, 700"})
  void neverHoldsAllScores(AttentionKernel kernel, long mostMiB) {
    assertThat(bytes(16_384, kernel) >> 20).isLessThan(mostMiB);
    // the same rows more often need as much more memory, not its square
    assertThat(bytes(16_384, kernel)).isLessThan(5 * bytes(4096, kernel));
  }

  /** A causal mask of F32, and in F16 for the fused kernel, is all that grows with the square. */
  @ParameterizedTest
  @CsvSource({"FUSED, 70", "STEPWISE, 400"})
  void holdsAMaskOnceForAllHeads(AttentionKernel kernel, long mostMiB) {
    int n = 2048;
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", WIDTH, n, HEADS);
      var mask = AttentionMask.of(builder.input("mask", n, n));
      Tensor y = x;
      for (int layer = 0; layer < 3; layer++) {
        y = DotProductAttention.forward(y, x, x, mask, kernel).reshape(WIDTH, HEADS, n);
        y = y.permute(0, 2, 1, 3);
      }
      try (Graph graph = builder.build(y.contiguous())) {
        assertThat(scheduler.bytesNeeded(graph) >> 20).isLessThan(mostMiB);
      }
    }
  }

  private static long bytes(int n, AttentionKernel kernel) {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor query = builder.input("q", WIDTH, n, HEADS);
      Tensor key = builder.input("k", WIDTH, n, HEADS);
      Tensor value = builder.input("v", WIDTH, n, HEADS);
      try (Graph graph = builder.build(DotProductAttention.forward(query, key, value, kernel))) {
        return scheduler.bytesNeeded(graph);
      }
    }
  }
}
