package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ProductKernel.Shape;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products are the same bit for bit before and after their weights were packed. */
class PackedWeightsTest {
  private static final int M = 60;

  /** Rows of a product that is large enough for panels that are not kept. */
  private static final int LARGE_M = 310;

  private static final int N = 331;
  private static final int K = 777;

  /** Numbers between rows of weights that are no part of them. */
  private static final int GAP = 23;

  /** Products of so many rows that the weights are packed before the last. */
  private static final int RUNS = 12;

  private final Conversions conversions =
      new Conversions(
          conversion("ggml_fp16_to_fp32_row"),
          conversion("ggml_bf16_to_fp32_row"),
          conversion("ggml_fp32_to_bf16_row"));

  private final ProductKernels kernels =
      ProductLibraries.load(ProductLibraries.Choice.OPENBLAS, conversions).kernels().orElseThrow();

  private final Arena arena = Arena.ofShared();
  private final PackedWeights packed = new PackedWeights();
  private final AtomicInteger released = new AtomicInteger();
  private MemorySegment x = MemorySegment.NULL;

  private static RowConversion conversion(String name) {
    return RowConversion.of(NativeLibraries.symbols().find(name).orElseThrow());
  }

  @BeforeEach
  void fill() {
    x = arena.allocate(4L * LARGE_M * K, 64);
    for (int i = 0; i < LARGE_M * K; i++) {
      x.setAtIndex(JAVA_FLOAT, i, fraction(i));
    }
  }

  @AfterEach
  void free() {
    packed.close();
    arena.close();
  }

  private static float fraction(int i) {
    return ((i * 1664525 + 1013904223) >> 8) / (float) (1 << 23);
  }

  /** Rows with gaps, in which nobody may look for numbers. */
  private MemorySegment weights(WeightType type) {
    MemorySegment w = arena.allocate((long) type.bytes() * N * (K + GAP), 64);
    w.fill((byte) -1); // no number in any of the types
    for (int j = 0; j < N; j++) {
      for (int l = 0; l < K; l++) {
        float value = fraction(3 + j * K + l);
        long at = (long) j * (K + GAP) + l;
        switch (type) {
          case F32 -> w.setAtIndex(JAVA_FLOAT, at, value);
          case F16 -> w.setAtIndex(JAVA_SHORT, at, Float.floatToFloat16(value));
          case BF16 ->
              w.setAtIndex(JAVA_SHORT, at, (short) (Float.floatToRawIntBits(value) >>> 16));
        }
      }
    }
    return w;
  }

  private Product product(WeightType type, MemorySegment w, int m, int n, MemorySegment d) {
    return new Product(
        type,
        false,
        m,
        n,
        K,
        Matrices.one(w.address(), (long) type.bytes() * (K + GAP)),
        Matrices.one(x.address(), 4L * K),
        Matrices.one(d.address(), 4L * n),
        1,
        1);
  }

  private float[] run(ProductRunner runner, WeightType type, MemorySegment w, int n)
      throws Throwable {
    return run(runner, type, w, M, n);
  }

  private float[] run(ProductRunner runner, WeightType type, MemorySegment w, int m, int n)
      throws Throwable {
    MemorySegment d = arena.allocate(4L * m * n, 64);
    d.fill((byte) -1);
    runner.run(product(type, w, m, n, d), Caller.WAITS);
    return d.toArray(JAVA_FLOAT);
  }

  /** The same in one go, with all weights as floats. */
  private float[] whole(WeightType type, MemorySegment w) throws Throwable {
    MemorySegment wide = arena.allocate(4L * N * K, 64);
    Product p = product(type, w, LARGE_M, N, MemorySegment.NULL);
    for (int j = 0; j < N; j++) {
      new WeightRows(conversions).floats(p, j, 0, K, wide.address() + 4L * j * K);
    }
    MemorySegment d = arena.allocate(4L * LARGE_M * N, 64);
    Shape shape = Shape.byOutput(LARGE_M, N, K, K, K, N);
    kernels.f32().multiply(shape, x.address(), wide.address(), d.address(), 0);
    return d.toArray(JAVA_FLOAT);
  }

  private void add(WeightType type, MemorySegment w) {
    Matrices rows = Matrices.one(w.address(), (long) type.bytes() * (K + GAP));
    packed.add(type, rows, N, K, released::incrementAndGet);
  }

  /** Kernels of processors without AVX-512 add up differently by the number of rows. */
  @Test
  void stepsAreFoundWhereTheLibraryShowsThem() throws Throwable {
    assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
    assumeThat(kernels.description()).containsAnyOf("SkylakeX", "Cooperlake", "SapphireRapids");
    assertThat(kernels.f32().steps()).isNotNull();
  }

  @ParameterizedTest
  @CsvSource({"F32, 1", "F32, 2", "F32, 5", "F16, 1", "F16, 3", "BF16, 2"})
  void changesNoBit(WeightType type, int nThreads) throws Throwable {
    MemorySegment w = weights(type);
    add(type, w);
    try (ProductRunner runner = kernels.runner(conversions, nThreads)) {
      float[] expected = run(runner, type, w, N);
      assertThat(packed.bytes()).as("after one image").isZero();
      for (int i = 0; i < RUNS; i++) {
        assertThat(run(runner, type, w, N)).as("run %d", i).isEqualTo(expected);
      }
      boolean possible = kernels.f32().steps() != null;
      assertThat(packed.bytes()).isEqualTo(possible ? KeptPanels.bytes(N, K) : 0);
      assertThat(released).hasValue(possible ? 1 : 0);
      packed.close();
      assertThat(run(runner, type, w, N)).as("forgotten").isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, 1", "F32, 2", "F16, 1", "F16, 2", "F16, 3", "BF16, 2"})
  void changesNoBitWherePanelsAreNotKept(WeightType type, int nThreads) throws Throwable {
    assumeThat(kernels.f32().steps()).as("the steps of a product").isNotNull();
    MemorySegment w = weights(type);
    try (ProductRunner runner = kernels.runner(conversions, nThreads)) {
      assertThat(run(runner, type, w, LARGE_M, N)).isEqualTo(whole(type, w));
    }
  }

  @Test
  void takesNoOtherMatrixThatBeginsThere() throws Throwable {
    MemorySegment w = weights(WeightType.F32);
    add(WeightType.F32, w);
    try (ProductRunner runner = kernels.runner(conversions, 1)) {
      float[] expected = run(runner, WeightType.F32, w, N - 1);
      for (int i = 0; i < RUNS; i++) {
        run(runner, WeightType.F32, w, N);
        assertThat(run(runner, WeightType.F32, w, N - 1)).isEqualTo(expected);
      }
    }
  }
}
