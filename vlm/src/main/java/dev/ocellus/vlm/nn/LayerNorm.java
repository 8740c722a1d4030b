package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalization along the rows (arXiv:1607.06450), with scale and, if there is one, shift.
 */
public final class LayerNorm {
  private final Tensor weight;
  private final @Nullable Tensor bias;
  private final float eps;

  private LayerNorm(Tensor weight, @Nullable Tensor bias, float eps) {
    this.weight = weight;
    this.bias = bias;
    this.eps = eps;
  }

  /** Weights {@code weight} and, where the file has it, {@code bias}, both [nEmbd]. */
  public static LayerNorm of(Weights w, long nEmbd, float eps) {
    return new LayerNorm(w.f32("weight", nEmbd), w.findF32("bias", nEmbd), eps);
  }

  /** The shape stays. */
  public Tensor forward(Tensor x) {
    Tensor y = x.norm(eps).mul(weight);
    return bias == null ? y : y.add(bias);
  }
}
