package dev.ocellus.vlm.generation;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.vlm.graph.RunnerOptions;

/**
 * How a model of this package computes.
 *
 * @param nThreads threads on the CPU, 1 to 512
 * @param useGpu whether to use a graphics processor if there is one
 * @param precision how activations are multiplied with matrices of weights on a CPU
 * @param accelerator what multiplies large matrices of floats on a CPU
 */
public record ComputeOptions(
    int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator) {
  public ComputeOptions {
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("nThreads: expected 1 to 512, found " + nThreads);
    }
  }

  /** Exact, with a graphics processor if there is one, else as many threads as processors. */
  public static ComputeOptions defaults() {
    int processors = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 512);
    return new ComputeOptions(processors, true, MatrixPrecision.EXACT, Accelerator.AUTO);
  }

  /** On the CPU, exact. */
  public static ComputeOptions cpu(int nThreads) {
    return new ComputeOptions(nThreads, false, MatrixPrecision.EXACT, Accelerator.AUTO);
  }

  RunnerOptions runner(int maxPlans) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, maxPlans);
  }
}
