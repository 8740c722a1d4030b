package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Weights;

/** How {@link DotProductAttention} is computed best. */
public enum AttentionKernel {
  /** In one kernel, which ggml's CPU backend has in F32. */
  FUSED,
  /**
   * In F32 by an accelerator in one node where there are enough rows, as its products are so much
   * faster; otherwise in ggml's kernel.
   */
  ACCELERATED,
  /**
   * The same; where there is much to multiply, with queries, keys, values and weights rounded to
   * BF16 if the processor multiplies that.
   */
  ROUNDED,
  /** Step by step: fused kernels of other devices round keys and values to F16. */
  STEPWISE;

  /** The one for where a model is computed. */
  public static AttentionKernel of(Weights w) {
    if (!w.onCpu()) {
      return STEPWISE;
    }
    if (!w.hasAccelerator()) {
      return FUSED;
    }
    return w.roundsToBf16() ? ROUNDED : ACCELERATED;
  }
}
