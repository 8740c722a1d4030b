package dev.ocellus.vlm.graph;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;

/**
 * How a {@link GraphRunner} computes.
 *
 * @param nThreads threads on the CPU, 1 to 512
 * @param useGpu whether to use a graphics processor if there is one
 * @param precision how activations are multiplied with matrices of weights on a CPU
 * @param accelerator what multiplies large matrices of floats on a CPU
 * @param maxPlans graphs that are kept, each with memory for its intermediates, at least 1. A
 *     decoder that computes prompts and single tokens in turn wants 2 or more.
 * @param weights where matrices of weights lie
 */
public record RunnerOptions(
    int nThreads,
    boolean useGpu,
    MatrixPrecision precision,
    Accelerator accelerator,
    int maxPlans,
    WeightPlacement weights) {
  public RunnerOptions {
    if (maxPlans < 1) {
      throw new IllegalArgumentException("maxPlans: expected at least 1, found " + maxPlans);
    }
  }

  /** The same with weights that are converted when they are loaded. */
  public RunnerOptions(
      int nThreads,
      boolean useGpu,
      MatrixPrecision precision,
      Accelerator accelerator,
      int maxPlans) {
    this(nThreads, useGpu, precision, accelerator, maxPlans, WeightPlacement.CONVERTED);
  }

  /** On the CPU, exact, with one graph kept. */
  public static RunnerOptions cpu(int nThreads) {
    return new RunnerOptions(nThreads, false, MatrixPrecision.EXACT, Accelerator.AUTO, 1);
  }

  public RunnerOptions withGpu(boolean use) {
    return new RunnerOptions(nThreads, use, precision, accelerator, maxPlans, weights);
  }

  public RunnerOptions withPrecision(MatrixPrecision value) {
    return new RunnerOptions(nThreads, useGpu, value, accelerator, maxPlans, weights);
  }

  public RunnerOptions withAccelerator(Accelerator value) {
    return new RunnerOptions(nThreads, useGpu, precision, value, maxPlans, weights);
  }

  public RunnerOptions withMaxPlans(int value) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, value, weights);
  }

  public RunnerOptions withWeights(WeightPlacement value) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, maxPlans, value);
  }
}
