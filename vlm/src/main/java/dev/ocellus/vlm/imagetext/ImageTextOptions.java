package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;

/**
 * How a model of this package computes.
 *
 * @param nThreads threads on the CPU, 1 to 512
 * @param useGpu whether to use a graphics processor if there is one
 * @param precision how activations are multiplied with matrices of weights on a CPU
 * @param accelerator what multiplies large matrices of floats on a CPU
 */
public record ImageTextOptions(
    int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator) {
  public ImageTextOptions {
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("nThreads: expected 1 to 512, found " + nThreads);
    }
  }

  /** Exact, with a graphics processor if there is one, else as many threads as processors. */
  public static ImageTextOptions defaults() {
    int processors = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 512);
    return new ImageTextOptions(processors, true, MatrixPrecision.EXACT, Accelerator.AUTO);
  }

  /** On the CPU, exact. */
  public static ImageTextOptions cpu(int nThreads) {
    return new ImageTextOptions(nThreads, false, MatrixPrecision.EXACT, Accelerator.AUTO);
  }
}
