package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Checks a product of each type. Libraries pick their kernels by the processor, and for some new
 * one they have picked wrongly before.
 *
 * <p>Multiplying again in Java would take longer than all the rest of a short program's start. So
 * the result is checked as Freivalds does (<a
 * href="https://en.wikipedia.org/wiki/Freivalds%27_algorithm">how</a>): {@code d · v} must be
 * {@code x · (wᵀ · v)} for a vector of large numbers, in which whatever is wrong in a row shows.
 */
final class SelfTest {
  /** Odd sizes, so that the kernels' edges are run too. */
  static final int M = 67;

  static final int N = 131;
  private static final int K = 193;

  /** Products of whole numbers this small are exact in every type. */
  private static final int RANGE = 8;

  /** Bits of the numbers of the vector: sums of so large ones are exact in doubles. */
  private static final int VECTOR_BITS = 20;

  private final ProductKernels kernels;
  private final float[] x = numbers(M, 5);
  private final float[] w = numbers(N, 11);

  private SelfTest(ProductKernels kernels) {
    this.kernels = kernels;
  }

  /**
   * Tries kernels.
   *
   * @throws NativeLibraryException if they compute wrongly
   */
  static void check(ProductKernels kernels, Conversions conversions) {
    try (Arena arena = Arena.ofShared();
        ProductRunner runner = kernels.runner(conversions, 1)) {
      SelfTest test = new SelfTest(kernels);
      test.check(runner, WeightType.F32, arena.allocateFrom(JAVA_FLOAT, test.w), arena);
      if (kernels.bf16() != null) {
        test.check(runner, WeightType.BF16, arena.allocateFrom(JAVA_SHORT, test.bf16()), arena);
      }
    } catch (NativeLibraryException e) {
      throw e;
    } catch (Throwable e) {
      throw new NativeLibraryException("%s cannot multiply: %s".formatted(kernels, e), e);
    }
  }

  private static float[] numbers(int rows, int seed) {
    float[] matrix = new float[rows * K];
    for (int i = 0; i < matrix.length; i++) {
      matrix[i] = (i * seed + i / 7) % (2 * RANGE + 1) - RANGE;
    }
    return matrix;
  }

  /** Whole numbers need no rounding. */
  private short[] bf16() {
    short[] stored = new short[w.length];
    for (int i = 0; i < w.length; i++) {
      stored[i] = (short) (Float.floatToRawIntBits(w[i]) >>> 16);
    }
    return stored;
  }

  private void check(ProductRunner runner, WeightType type, MemorySegment stored, Arena arena)
      throws Throwable {
    MemorySegment activations = arena.allocateFrom(JAVA_FLOAT, x);
    MemorySegment result = arena.allocate(JAVA_FLOAT, (long) M * N);
    runner.run(
        new Product(
            type,
            true,
            M,
            N,
            K,
            Matrices.one(stored.address(), (long) type.bytes() * K),
            Matrices.one(activations.address(), 4L * K),
            Matrices.one(result.address(), 4L * N),
            1,
            1),
        Caller.WAITS);
    check(type, result.toArray(JAVA_FLOAT));
  }

  private void check(WeightType type, float[] d) {
    double[] v = vector();
    double[] wv = new double[K];
    for (int j = 0; j < N; j++) {
      for (int l = 0; l < K; l++) {
        wv[l] += w[j * K + l] * v[j];
      }
    }
    for (int i = 0; i < M; i++) {
      double expected = 0;
      for (int l = 0; l < K; l++) {
        expected += x[i * K + l] * wv[l];
      }
      double found = 0;
      boolean whole = true;
      for (int j = 0; j < N; j++) {
        float number = d[i * N + j];
        whole &= number == Math.rint(number); // a small fraction would be lost in the sum
        found += number * v[j];
      }
      if (!whole || found != expected) {
        throw wrong(type, d, i);
      }
    }
  }

  /** Numbers without a pattern. */
  private static double[] vector() {
    double[] v = new double[N];
    int state = 1;
    for (int j = 0; j < N; j++) {
      state = state * 1664525 + 1013904223; // Numerical Recipes' generator
      v[j] = (state >>> (Integer.SIZE - VECTOR_BITS)) + 1;
    }
    return v;
  }

  /** Says what is wrong in a row. */
  private NativeLibraryException wrong(WeightType type, float[] d, int i) {
    int j = 0;
    while (j < N - 1 && d[i * N + j] == sum(i, j)) {
      j++;
    }
    return new NativeLibraryException(
        "%s computes wrongly on this processor: a product in %s came out as %s instead of %s"
            .formatted(kernels.description(), type, d[i * N + j], sum(i, j)));
  }

  private float sum(int i, int j) {
    float sum = 0;
    for (int l = 0; l < K; l++) {
      sum += x[i * K + l] * w[j * K + l];
    }
    return sum;
  }
}
