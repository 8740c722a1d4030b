package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Weights;

/** How {@link DotProductAttention} is computed best. */
public enum AttentionKernel {
  /** In one kernel, which ggml's CPU backend has in F32. */
  FUSED,
  /**
   * Step by step where there are many rows, as an accelerator takes the two products and is so much
   * faster that writing the scores down costs less than it gains; otherwise in one kernel.
   */
  ACCELERATED,
  /** Step by step: fused kernels of other devices round keys and values to F16. */
  STEPWISE;

  /** The one for where a model is computed. */
  public static AttentionKernel of(Weights w) {
    if (!w.onCpu()) {
      return STEPWISE;
    }
    return w.hasAccelerator() ? ACCELERATED : FUSED;
  }
}
