package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * A convolution whose stride is its kernel: every patch becomes one embedding.
 *
 * <p>Computed as a product of matrices. ggml's own convolution rounds the pixels to F16, which is
 * half of what libmtmd is off by. The kernel is widened to F32; it is small.
 */
public final class PatchEmbedding {
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final long patchSize;

  private PatchEmbedding(Tensor kernel, @Nullable Tensor bias, long patchSize) {
    this.kernel = kernel;
    this.bias = bias;
    this.patchSize = patchSize;
  }

  /**
   * Weights {@code weight} [patchSize, patchSize, 3, nEmbd] and, where the file has it, {@code
   * bias} [nEmbd].
   */
  public static PatchEmbedding of(Weights w, long patchSize, long nEmbd) {
    return new PatchEmbedding(
        w.f32Reshaped(
            "weight",
            new long[] {patchSize, patchSize, 3, nEmbd},
            patchSize * patchSize * 3,
            nEmbd),
        w.findF32("bias", nEmbd),
        patchSize);
  }

  /** The same of a kernel that is stored as a matrix, [patchSize² · 3, nEmbd]. */
  public static PatchEmbedding ofRows(Weights w, long patchSize, long nEmbd) {
    return new PatchEmbedding(
        w.f32("weight", patchSize * patchSize * 3, nEmbd), w.findF32("bias", nEmbd), patchSize);
  }

  /**
   * From pixels [width, height, 3, n] to [nEmbd, nPatches, n], patches row by row. Pixels at the
   * right and at the bottom that do not fill a patch are left out.
   */
  public Tensor forward(Tensor pixels) {
    Tensor patches = patches(pixels, patchSize);
    Tensor x = patches.mulMat(kernel).ofItems(patches.size(1), patches.size(2));
    return bias == null ? x : x.add(bias);
  }

  /**
   * The pixels of patches, from [width, height, 3, n] to [patchSize² · 3, nPatches, n]: planes one
   * after the other, each line by line.
   */
  public static Tensor patches(Tensor pixels, long patchSize) {
    long p = patchSize;
    long nx = pixels.size(0) / p;
    long ny = pixels.size(1) / p;
    long n = pixels.size(3);
    return pixels
        .slice(new long[] {}, nx * p, ny * p, 3, n)
        .contiguous()
        .reshape(p, nx, p, ny * 3 * n) // [x in patch, patch x, y in patch, …]
        .permute(0, 2, 1, 3)
        .contiguous() // [x in patch, y in patch, patch x, …]
        .reshape(p * p, nx * ny, 3, n)
        .permute(0, 2, 1, 3)
        .contiguous() // [in patch, channel, patch, n]
        .reshape(p * p * 3, nx * ny, n);
  }
}
