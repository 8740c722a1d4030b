package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.SoftmaxKernel.Rows;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** oneDNN's softmax, where the processor multiplies BF16, and what is done where it has none. */
class SoftmaxKernelTest {
  /** Half of the distance of two numbers in BF16, and some for what F32 is off by. */
  private static final double ROUNDING = 1 / 256.0 * 1.01;

  private static OneDnn oneDnn() {
    return Optional.ofNullable(OneDnn.load().bf16())
        .orElseGet(() -> Assumptions.abort("no instructions for BF16"));
  }

  private static float[] gaussians(int n, double deviation, int seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  private static float[] compute(OneDnn oneDnn, float[] scores, Rows rows) throws Throwable {
    SoftmaxKernel kernel = Objects.requireNonNull(oneDnn.softmax());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, scores);
      MemorySegment to = arena.allocate(ValueLayout.JAVA_SHORT, scores.length);
      MemorySegment scratch = arena.allocate(kernel.scratchBytes(rows), 64);
      int before = oneDnn.setLibraryThreads(1);
      kernel.compute(rows, from.address(), to.address(), scratch.address());
      oneDnn.setLibraryThreads(before);
      short[] found = to.toArray(ValueLayout.JAVA_SHORT);
      float[] weights = new float[found.length];
      for (int i = 0; i < found.length; i++) {
        weights[i] = Float.intBitsToFloat(found[i] << 16);
      }
      return weights;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 17", "64, 270", "5, 2520", "2, 4099"})
  void isSoftmaxRoundedToBf16(int count, int width) throws Throwable {
    float[] scores = gaussians(count * width, 3, width);
    float[] found = compute(oneDnn(), scores, new Rows(count, width));
    for (int row = 0; row < count; row++) {
      assertRow(scores, found, row * width, width);
    }
  }

  private static void assertRow(float[] scores, float[] found, int from, int width) {
    double sum = 0;
    for (int i = from; i < from + width; i++) {
      sum += Math.exp(scores[i]);
    }
    for (int i = from; i < from + width; i++) {
      double expected = Math.exp(scores[i]) / sum;
      assertThat(Math.abs(found[i] / expected - 1)).isLessThan(ROUNDING);
    }
  }

  @Test
  void takesScoresWhoseExponentialsNoFloatHas() throws Throwable {
    float[] scores = {1000, 999, -1000, Float.NEGATIVE_INFINITY, 1000};
    float[] found = compute(oneDnn(), scores, new Rows(1, scores.length));
    double sum = 2 + Math.exp(-1);
    assertThat((double) found[0] * sum).isCloseTo(1, org.assertj.core.data.Offset.offset(ROUNDING));
    assertThat(found[4]).isEqualTo(found[0]);
    assertThat(found[2]).isBetween(0f, 1e-37f);
    assertThat(found[3]).isBetween(0f, 1e-37f);
  }

  /** More shapes than are kept, on threads beside each other: each gets its own numbers. */
  @Test
  void threadsMakeAndDropShapesBesideEachOther() throws Throwable {
    OneDnn oneDnn = oneDnn();
    int nWidths = 90;
    List<float[]> expected = new ArrayList<>();
    for (int width = 1; width <= nWidths; width++) {
      expected.add(compute(oneDnn, gaussians(2 * width, 3, width), new Rows(2, width)));
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<Boolean>> all = new ArrayList<>();
      for (int i = 0; i < 4 * nWidths; i++) {
        int width = 1 + i * 7 % nWidths;
        all.add(threads.submit(() -> equals(oneDnn, width, expected.get(width - 1))));
      }
      for (Future<Boolean> each : all) {
        assertThat(each.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static boolean equals(OneDnn oneDnn, int width, float[] expected)
      throws ExecutionException {
    try {
      float[] found = compute(oneDnn, gaussians(2 * width, 3, width), new Rows(2, width));
      return java.util.Arrays.equals(found, expected);
    } catch (Throwable e) {
      throw new ExecutionException(e);
    }
  }

  /** Computes in Java, and changes one weight. */
  private record Damaging(int at, float factor) implements SoftmaxKernel {
    @Override
    public long scratchBytes(Rows rows) {
      return 0;
    }

    @Override
    public void compute(Rows rows, long from, long to, long scratch) {
      MemorySegment memory = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
      for (int row = 0; row < rows.count(); row++) {
        double sum = 0;
        for (int i = row * rows.width(); i < (row + 1) * rows.width(); i++) {
          sum += Math.exp(memory.get(ValueLayout.JAVA_FLOAT, from + 4L * i));
        }
        for (int i = row * rows.width(); i < (row + 1) * rows.width(); i++) {
          double weight = Math.exp(memory.get(ValueLayout.JAVA_FLOAT, from + 4L * i)) / sum;
          float result = (float) weight * (i == at ? factor : 1);
          short bits = (short) (Float.floatToIntBits(result) + 0x8000 >>> 16); // the nearest
          memory.set(ValueLayout.JAVA_SHORT, to + 2L * i, bits);
        }
      }
    }
  }

  @Test
  void kernelsThatComputeRightlyAreUsed() throws Throwable {
    assertThat(SoftmaxTrial.problem(new Damaging(0, 1))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"0, 1.02", "130, 0.5", "131, NaN", "392, 0", "392, Infinity"})
  void kernelsThatComputeOneWeightWronglyAreNotUsed(int at, float factor) throws Throwable {
    assertThat(SoftmaxTrial.problem(new Damaging(at, factor)))
        .hasValueSatisfying(
            problem -> assertThat(problem).contains("it computes wrongly on this processor"));
  }

  @Test
  void whatTheLibraryCannotMakeIsNotUsed() throws Throwable {
    SoftmaxKernel none =
        new SoftmaxKernel() {
          @Override
          public long scratchBytes(Rows rows) {
            OneDnnCalls.check(3, "dnnl_softmax_forward_primitive_desc_create");
            return 0;
          }

          @Override
          public void compute(Rows rows, long from, long to, long scratch) {
            throw new AssertionError("it has no code");
          }
        };
    assertThat(SoftmaxTrial.problem(none))
        .hasValue("dnnl_softmax_forward_primitive_desc_create failed with status 3");
  }

  /** Multiplies as another does, and leaves softmax to Java. */
  private record WithoutSoftmax(ProductKernel products) implements ProductKernel {
    @Override
    public long scratchBytes(Shape shape) throws Throwable {
      return products.scratchBytes(shape);
    }

    @Override
    public void multiply(Shape shape, long x, long w, long d, long scratch) throws Throwable {
      products.multiply(shape, x, w, d, scratch);
    }

    @Override
    public int setLibraryThreads(int count) throws Throwable {
      return products.setLibraryThreads(count);
    }

    @Override
    public @Nullable SoftmaxKernel softmax() {
      return null;
    }
  }

  /** Blocks that are not full, a scale that is no power of two, heads wider than there are keys. */
  @ParameterizedTest
  @CsvSource({"300, 270, 40, 0.158", "70, 33, 72, 0.118", "65, 2520, 64, 1"})
  void attentionIsAsNearWithItAsWithout(int nQueries, int nKeys, int width, float scale)
      throws Throwable {
    OneDnn oneDnn = oneDnn();
    float[] q = gaussians(nQueries * width, scale == 1 ? 0.2 : 1, 1);
    float[] k = gaussians(nKeys * width, 1, 2);
    float[] v = gaussians(nKeys * width, 1, 3);
    double[] expected = attention(q, k, v, width, scale);
    double with = error(attention(oneDnn, q, k, v, width, scale), expected);
    double without = error(attention(new WithoutSoftmax(oneDnn), q, k, v, width, scale), expected);
    assertThat(without).isBetween(1e-4, 2e-2);
    assertThat(with).isBetween(1e-4, 2e-2);
    assertThat(with / without).isBetween(0.5, 1.5);
  }

  private static double error(float[] found, double[] expected) {
    double squares = 0;
    for (int i = 0; i < found.length; i++) {
      squares += (found[i] - expected[i]) * (found[i] - expected[i]);
    }
    return Math.sqrt(squares / found.length);
  }

  private static float[] attention(
      ProductKernel bf16, float[] q, float[] k, float[] v, int width, float scale)
      throws Throwable {
    RowConversion rounding =
        RowConversion.of(NativeLibraries.symbols().find("ggml_fp32_to_bf16_row").orElseThrow());
    long row = 4L * width;
    try (Arena arena = Arena.ofShared();
        ProductRunner runner =
            new ProductKernels(bf16, bf16)
                .runner(new Conversions(rounding, rounding, rounding), 2)) {
      MemorySegment d = arena.allocate(4L * q.length, 64);
      runner.run(
          new AttentionHeads(
              true,
              scale,
              q.length / width,
              k.length / width,
              width,
              width,
              Matrices.one(arena.allocateFrom(ValueLayout.JAVA_FLOAT, q).address(), row),
              Matrices.one(arena.allocateFrom(ValueLayout.JAVA_FLOAT, k).address(), row),
              Matrices.one(arena.allocateFrom(ValueLayout.JAVA_FLOAT, v).address(), row),
              Matrices.one(d.address(), row),
              null,
              1,
              1),
          Caller.WAITS);
      return d.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /** The definition, in doubles. */
  private static double[] attention(float[] q, float[] k, float[] v, int width, float scale) {
    double[] d = new double[q.length];
    double[] weights = new double[k.length / width];
    for (int row = 0; row < q.length; row += width) {
      double sum = 0;
      for (int key = 0; key < weights.length; key++) {
        double dot = 0;
        for (int i = 0; i < width; i++) {
          dot += (double) q[row + i] * k[key * width + i];
        }
        weights[key] = Math.exp(scale * dot);
        sum += weights[key];
      }
      for (int key = 0; key < weights.length; key++) {
        for (int i = 0; i < width; i++) {
          d[row + i] += weights[key] / sum * v[key * width + i];
        }
      }
    }
    return d;
  }
}
