package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import java.io.IOException;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the precisions mean for attention of so many rows that an accelerator takes it. */
class AttentionPrecisionTest {
  private static final int WIDTH = 64;
  private static final int HEADS = 2;
  private static final int ROWS = 700;
  private static final Accel ACCEL = Accel.find(Accelerator.AUTO).orElseThrow();
  private static final boolean BF16 = Device.cpu().features().contains("AVX512_BF16");

  private static AttentionKernel kernel(MatrixPrecision precision, @Nullable Accel accel)
      throws IOException {
    try (GgufFile file = GgufFile.open(Golden.MMPROJ);
        var backend = new Backend(Device.cpu(), 1);
        var store = new WeightStore(file, backend, precision, accel, false)) {
      return AttentionKernel.of(store.weights());
    }
  }

  @ParameterizedTest
  @EnumSource(MatrixPrecision.class)
  void isRoundedWhereProductsWithWeightsAre(MatrixPrecision precision) throws IOException {
    boolean rounded =
        precision == MatrixPrecision.BF16 || precision == MatrixPrecision.FAST && BF16;
    assertThat(kernel(precision, ACCEL))
        .isEqualTo(rounded ? AttentionKernel.ROUNDED : AttentionKernel.ACCELERATED);
    assertThat(kernel(precision, null)).isEqualTo(AttentionKernel.FUSED);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void exactIsThatOfSinglePrecision(boolean causal) {
    assertThat(error(AttentionKernel.ACCELERATED, causal)).isBetween(1e-12, 2e-6);
  }

  /** The first rows of a causal one have few keys, whose values are not averaged. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void roundedIsOffByRoundingToBf16(boolean causal) {
    assumeTrue(BF16, "the processor does not multiply BF16");
    assertThat(error(AttentionKernel.ROUNDED, causal)).isBetween(1e-4, causal ? 5e-2 : 1e-2);
  }

  /** The largest difference from ggml's kernel. */
  private static double error(AttentionKernel kernel, boolean causal) {
    float[] expected = compute(AttentionKernel.FUSED, causal);
    float[] found = compute(kernel, causal);
    double error = 0;
    for (int i = 0; i < found.length; i++) {
      error = Math.max(error, Math.abs((double) found[i] - expected[i]));
    }
    return error;
  }

  private static float[] compute(AttentionKernel kernel, boolean causal) {
    var random = new Random(1);
    float[][] values = new float[3][WIDTH * ROWS * HEADS];
    for (float[] each : values) {
      for (int i = 0; i < each.length; i++) {
        each[i] = (float) random.nextGaussian();
      }
    }
    try (var accelerator = ACCEL.newBackend(2);
        var cpu = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(accelerator, cpu);
        var builder = new GraphBuilder()) {
      Tensor query = builder.input("q", WIDTH, ROWS, HEADS);
      Tensor key = builder.input("k", WIDTH, ROWS, HEADS);
      Tensor value = builder.input("v", WIDTH, ROWS, HEADS);
      Tensor hidden = builder.input("mask", ROWS, ROWS);
      AttentionMask mask = causal ? AttentionMask.of(hidden) : null;
      Tensor out = DotProductAttention.forward(query, key, value, mask, kernel);
      try (Graph graph = builder.build(out);
          var computation = scheduler.start(graph)) {
        return computation
            .set(hidden, AttentionMask.causal(ROWS))
            .set(query, values[0])
            .set(key, values[1])
            .set(value, values[2])
            .compute()
            .get(out);
      }
    }
  }
}
