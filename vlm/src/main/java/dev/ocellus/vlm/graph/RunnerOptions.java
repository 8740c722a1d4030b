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
 * @param packsWeights whether matrices that many rows were multiplied with are kept in the order in
 *     which their kernel reads them, which takes as much memory as they have in F32, together at
 *     most a quarter of the machine's
 */
public record RunnerOptions(
    int nThreads,
    boolean useGpu,
    MatrixPrecision precision,
    Accelerator accelerator,
    int maxPlans,
    boolean packsWeights) {
  public RunnerOptions {
    if (maxPlans < 1) {
      throw new IllegalArgumentException("maxPlans: expected at least 1, found " + maxPlans);
    }
  }

  /** The same without packed weights. */
  public RunnerOptions(
      int nThreads,
      boolean useGpu,
      MatrixPrecision precision,
      Accelerator accelerator,
      int maxPlans) {
    this(nThreads, useGpu, precision, accelerator, maxPlans, false);
  }

  /** On the CPU, exact, with one graph kept. */
  public static RunnerOptions cpu(int nThreads) {
    return new RunnerOptions(nThreads, false, MatrixPrecision.EXACT, Accelerator.AUTO, 1);
  }

  public RunnerOptions withGpu(boolean use) {
    return new RunnerOptions(nThreads, use, precision, accelerator, maxPlans, packsWeights);
  }

  public RunnerOptions withPrecision(MatrixPrecision value) {
    return new RunnerOptions(nThreads, useGpu, value, accelerator, maxPlans, packsWeights);
  }

  public RunnerOptions withAccelerator(Accelerator value) {
    return new RunnerOptions(nThreads, useGpu, precision, value, maxPlans, packsWeights);
  }

  public RunnerOptions withMaxPlans(int value) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, value, packsWeights);
  }

  public RunnerOptions withPackedWeights(boolean packs) {
    return new RunnerOptions(nThreads, useGpu, precision, accelerator, maxPlans, packs);
  }
}
