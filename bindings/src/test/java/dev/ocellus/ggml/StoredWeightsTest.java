package dev.ocellus.ggml;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.ocellus.accel.Caller;
import dev.ocellus.accel.Conversions;
import dev.ocellus.accel.ConvertedProduct;
import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ProductKernels;
import dev.ocellus.accel.ProductLibraries;
import dev.ocellus.accel.ProductRunner;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StoredWeightsTest {
  private static final int M = 67;
  private static final int N = 131;
  private static final int K = 512;

  /** Half a step of BF16 for the weight and for the number, relative to the largest sum. */
  private static final double ROUNDING = 4e-3;

  private static MemorySegment numbers(Arena arena, int count, int seed) {
    var random = new SplittableRandom(seed);
    MemorySegment values = arena.allocate(JAVA_FLOAT, count);
    for (int i = 0; i < count; i++) {
      values.setAtIndex(JAVA_FLOAT, i, (float) (random.nextDouble() * 2 - 1));
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({"Q4_0, 1", "Q5_1, 3", "Q8_0, 2", "Q2_K, 1", "Q4_K, 2", "Q6_K, 5", "IQ4_XS, 2"})
  void multipliesWhatWeightsStandFor(TensorType type, int nThreads) throws Throwable {
    Ggml.initializeFully();
    Conversions conversions = AccelConversions.find();
    ProductKernels kernels =
        ProductLibraries.load(ProductLibraries.Choice.BEST, conversions).kernels().orElseThrow();
    assumeThat(kernels.bf16()).as("instructions for BF16").isNotNull();
    try (Arena arena = Arena.ofShared();
        ProductRunner runner = kernels.runner(conversions, nThreads)) {
      MemorySegment x = numbers(arena, M * K, 1);
      MemorySegment w = numbers(arena, N * K, 2);
      long row = type.rowBytes(K);
      MemorySegment stored = arena.allocate(N * row, 64);
      ggml_h.ggml_quantize_chunk(type.id(), w, stored, 0, N, K, MemorySegment.NULL);
      var toF32 = FileMatrix.toF32(type);
      MemorySegment d = arena.allocate(JAVA_FLOAT, (long) M * N);
      runner.run(
          new ConvertedProduct(
              toF32,
              M,
              N,
              K,
              Matrices.one(stored.address(), row),
              Matrices.one(x.address(), 4L * K),
              Matrices.one(d.address(), 4L * N)),
          Caller.WAITS);
      MemorySegment wide = arena.allocate(JAVA_FLOAT, (long) N * K);
      toF32.convert(stored.address(), wide.address(), (long) N * K);
      assertThat(worst(x, wide, d)).isBetween(0.0, ROUNDING);
    }
  }

  /** The largest difference to a product in double precision, relative to the largest result. */
  private static double worst(MemorySegment x, MemorySegment w, MemorySegment d) {
    double worst = 0;
    double largest = 0;
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        double sum = 0;
        for (int l = 0; l < K; l++) {
          sum +=
              (double) x.getAtIndex(JAVA_FLOAT, (long) i * K + l)
                  * w.getAtIndex(JAVA_FLOAT, (long) j * K + l);
        }
        double found = d.getAtIndex(JAVA_FLOAT, (long) i * N + j);
        worst = Math.max(worst, Math.abs(found - sum));
        largest = Math.max(largest, Math.abs(sum));
      }
    }
    return worst / largest;
  }
}
