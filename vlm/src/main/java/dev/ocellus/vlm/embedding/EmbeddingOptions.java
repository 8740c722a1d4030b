package dev.ocellus.vlm.embedding;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link DualEncoder} computes.
 *
 * @param nThreads threads on the CPU, 1 to 512
 * @param useGpu whether to use a graphics processor if there is one
 * @param precision how activations are multiplied with matrices of weights on a CPU
 * @param accelerator what multiplies large matrices of floats on a CPU
 * @param modelType which of the models that a file holds, as {@code clip.model_type} names them:
 *     {@code internvl_c} or {@code internvl_g} of InternVL 1.0; null for the one that it names
 */
public record EmbeddingOptions(
    int nThreads,
    boolean useGpu,
    MatrixPrecision precision,
    Accelerator accelerator,
    @Nullable String modelType) {
  public EmbeddingOptions {
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("nThreads: expected 1 to 512, found " + nThreads);
    }
  }

  /** With the model that a file names. */
  public EmbeddingOptions(
      int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator) {
    this(nThreads, useGpu, precision, accelerator, null);
  }

  /** With whatever accelerator there is. */
  public EmbeddingOptions(int nThreads, boolean useGpu, MatrixPrecision precision) {
    this(nThreads, useGpu, precision, Accelerator.AUTO);
  }

  /** Exact, with a graphics processor if there is one, else as many threads as processors. */
  public static EmbeddingOptions defaults() {
    int processors = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 512);
    return new EmbeddingOptions(processors, true, MatrixPrecision.EXACT, Accelerator.AUTO);
  }

  /** On the CPU, exact. */
  public static EmbeddingOptions cpu(int nThreads) {
    return new EmbeddingOptions(nThreads, false, MatrixPrecision.EXACT, Accelerator.AUTO);
  }

  public EmbeddingOptions withAccelerator(Accelerator value) {
    return new EmbeddingOptions(nThreads, useGpu, precision, value, modelType);
  }

  public EmbeddingOptions withModelType(@Nullable String value) {
    return new EmbeddingOptions(nThreads, useGpu, precision, accelerator, value);
  }
}
