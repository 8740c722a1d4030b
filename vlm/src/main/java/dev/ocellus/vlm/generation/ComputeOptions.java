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
 * @param maxBytes what a graph may take for intermediates, beside weights: a VQ model that would
 *     take more computes in a slower way that holds less, and is refused where that takes more,
 *     too; 0 for what is free
 */
public record ComputeOptions(
    int nThreads,
    boolean useGpu,
    MatrixPrecision precision,
    Accelerator accelerator,
    long maxBytes) {
  public ComputeOptions {
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("nThreads: expected 1 to 512, found " + nThreads);
    }
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes: expected at least 0, found " + maxBytes);
    }
  }

  /** With as much memory as is free. */
  public ComputeOptions(
      int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator) {
    this(nThreads, useGpu, precision, accelerator, 0);
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

  public ComputeOptions withMaxBytes(long value) {
    return new ComputeOptions(nThreads, useGpu, precision, accelerator, value);
  }

  RunnerOptions runner(int maxPlans) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, maxPlans);
  }
}
