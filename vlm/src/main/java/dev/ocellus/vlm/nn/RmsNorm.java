package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** Root mean square normalization along the rows (arXiv:1910.07467), with scale. */
public final class RmsNorm {
  private final Tensor weight;
  private final float eps;

  private RmsNorm(Tensor weight, float eps) {
    this.weight = weight;
    this.eps = eps;
  }

  /** Weight {@code weight} [nEmbd]. */
  public static RmsNorm of(Weights w, long nEmbd, float eps) {
    return new RmsNorm(w.f32("weight", nEmbd), eps);
  }

  /** The shape stays. */
  public Tensor forward(Tensor x) {
    return x.rmsNorm(eps).mul(weight);
  }
}
