package dev.ocellus.vlm.embedding;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;

/**
 * How a {@link DualEncoder} computes.
 *
 * @param nThreads threads on the CPU, 1 to 512
 * @param useGpu whether to use a graphics processor if there is one
 * @param precision how activations are multiplied with matrices of weights on a CPU
 * @param accelerator what multiplies large matrices of floats on a CPU
 */
public record EmbeddingOptions(
    int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator) {
  public EmbeddingOptions {
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("nThreads: expected 1 to 512, found " + nThreads);
    }
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
    return new EmbeddingOptions(nThreads, useGpu, precision, value);
  }
}
