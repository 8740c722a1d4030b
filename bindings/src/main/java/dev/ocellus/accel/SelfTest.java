package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Compares a few small products with sums in Java. Libraries pick their kernels by the processor,
 * and for some new one they have picked wrongly before.
 */
final class SelfTest {
  /** Odd sizes, so that the kernels' edges are run too. */
  private static final int M = 67;

  private static final int N = 131;
  private static final int K = 193;

  /** Products of whole numbers this small are exact in every type. */
  private static final int RANGE = 8;

  private SelfTest() {}

  /**
   * Tries kernels.
   *
   * @throws NativeLibraryException if they compute wrongly
   */
  static void check(ProductKernels kernels, Conversions conversions) {
    try (Arena arena = Arena.ofShared();
        ProductRunner runner = kernels.runner(conversions, 1)) {
      check(runner, WeightType.F32, arena, kernels);
      if (kernels.bf16() != null) {
        check(runner, WeightType.BF16, arena, kernels);
      }
    } catch (NativeLibraryException e) {
      throw e;
    } catch (Throwable e) {
      throw new NativeLibraryException("%s cannot multiply: %s".formatted(kernels, e), e);
    }
  }

  private static void check(
      ProductRunner runner, WeightType type, Arena arena, ProductKernels kernels) throws Throwable {
    MemorySegment x = arena.allocate(JAVA_FLOAT, (long) M * K);
    MemorySegment w = arena.allocate(JAVA_FLOAT, (long) N * K);
    MemorySegment d = arena.allocate(JAVA_FLOAT, (long) M * N);
    fill(x, M, 5);
    fill(w, N, 11);
    MemorySegment stored = w;
    if (type == WeightType.BF16) {
      stored = arena.allocate(2L * N * K, 64);
      for (long i = 0; i < (long) N * K; i++) { // whole numbers need no rounding
        int bits = Float.floatToRawIntBits(w.getAtIndex(JAVA_FLOAT, i));
        stored.set(java.lang.foreign.ValueLayout.JAVA_SHORT, 2 * i, (short) (bits >>> 16));
      }
    }
    runner.run(
        new Product(
            type,
            true,
            M,
            N,
            K,
            new Matrices(stored.address(), (long) type.bytes() * K, 0, 0, 1, 1),
            new Matrices(x.address(), 4L * K, 0, 0, 1, 1),
            new Matrices(d.address(), 4L * N, 0, 0, 1, 1),
            1,
            1),
        false);
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        float sum = 0;
        for (int l = 0; l < K; l++) {
          sum +=
              x.getAtIndex(JAVA_FLOAT, (long) i * K + l)
                  * w.getAtIndex(JAVA_FLOAT, (long) j * K + l);
        }
        float found = d.getAtIndex(JAVA_FLOAT, (long) i * N + j);
        if (found != sum) {
          throw new NativeLibraryException(
              "%s computes wrongly on this processor: a product in %s came out as %s instead of %s"
                  .formatted(kernels.description(), type, found, sum));
        }
      }
    }
  }

  private static void fill(MemorySegment matrix, int rows, int seed) {
    for (int i = 0; i < rows * K; i++) {
      matrix.setAtIndex(JAVA_FLOAT, i, (i * seed + i / 7) % (2 * RANGE + 1) - RANGE);
    }
  }
}
