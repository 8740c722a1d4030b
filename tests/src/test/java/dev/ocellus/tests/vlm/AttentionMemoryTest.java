package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionMemoryTest {
  private static final int WIDTH = 80;
  private static final int HEADS = 16;

  /** 16384 rows are an image of 4096 tokens for Qwen2.5-VL; all their scores are 16 GiB. */
  @ParameterizedTest
  @CsvSource({"true, 400", "false, 700"})
  void neverHoldsAllScores(boolean onCpu, long mostMiB) {
    assertThat(bytes(16_384, onCpu) >> 20).isLessThan(mostMiB);
    // the same rows more often need as much more memory, not its square
    assertThat(bytes(16_384, onCpu)).isLessThan(5 * bytes(4096, onCpu));
  }

  /** A causal mask of F32, and in F16 for the fused kernel, is all that grows with the square. */
  @ParameterizedTest
  @CsvSource({"true, 70", "false, 400"})
  void holdsAMaskOnceForAllHeads(boolean onCpu, long mostMiB) {
    int n = 2048;
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", WIDTH, n, HEADS);
      var mask = AttentionMask.of(builder.input("mask", n, n));
      Tensor y = x;
      for (int layer = 0; layer < 3; layer++) {
        y = DotProductAttention.forward(y, x, x, mask, onCpu).reshape(WIDTH, HEADS, n);
        y = y.permute(0, 2, 1, 3);
      }
      try (Graph graph = builder.build(y.contiguous())) {
        assertThat(scheduler.bytesNeeded(graph) >> 20).isLessThan(mostMiB);
      }
    }
  }

  private static long bytes(int n, boolean onCpu) {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor query = builder.input("q", WIDTH, n, HEADS);
      Tensor key = builder.input("k", WIDTH, n, HEADS);
      Tensor value = builder.input("v", WIDTH, n, HEADS);
      try (Graph graph = builder.build(DotProductAttention.forward(query, key, value, onCpu))) {
        return scheduler.bytesNeeded(graph);
      }
    }
  }
}
