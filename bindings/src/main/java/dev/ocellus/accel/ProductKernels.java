package dev.ocellus.accel;

import org.jspecify.annotations.Nullable;

/**
 * The libraries that multiply.
 *
 * @param f32 for products in F32
 * @param bf16 for products in BF16; null where the processor has no instructions for it, or the
 *     library is not in use
 */
public record ProductKernels(ProductKernel f32, @Nullable ProductKernel bf16) {
  /** See {@link ProductKernel#setLibraryThreads}; of the two libraries only oneDNN asks for it. */
  int setLibraryThreads(int count) throws Throwable {
    return (bf16 == null ? f32 : bf16).setLibraryThreads(count);
  }

  /** Whether BF16 is multiplied by a unit for matrices (AMX), several times as fast as F32. */
  public boolean hasMatrixUnit() {
    return bf16 != null && bf16.hasMatrixUnit();
  }

  /** Threads and memory to compute with. */
  public ProductRunner runner(Conversions conversions, int nThreads) {
    return new ProductRunner(this, conversions, nThreads);
  }

  /** Which libraries multiply what. */
  public String description() {
    return bf16 == null ? f32.toString() : f32 + "; BF16: " + bf16;
  }
}
