package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.MapLayer;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Normalization of groups of channels (arXiv:1803.08494), with scale and shift for each channel.
 */
public final class GroupNorm {
  private final Tensor weight;
  private final Tensor bias;
  private final int groups;
  private final float eps;

  private GroupNorm(Tensor weight, Tensor bias, int groups, float eps) {
    this.weight = weight;
    this.bias = bias;
    this.groups = groups;
    this.eps = eps;
  }

  /**
   * Weights {@code weight} and {@code bias}, both [channels].
   *
   * @param groups a divisor of {@code channels}
   */
  public static GroupNorm of(Weights w, long channels, int groups, float eps) {
    return new GroupNorm(
        Conv2d.perChannel(w, "weight", channels),
        Conv2d.perChannel(w, "bias", channels),
        groups,
        eps);
  }

  /** [width, height, channels, batch]; the shape stays. */
  public Tensor forward(Tensor x) {
    return FeatureMaps.groupNorm(x, groups, eps, weight, bias);
  }

  /** Its numbers, for a layer that does more. */
  MapLayer.Norm norm() {
    return new MapLayer.Norm(groups, eps, weight, bias);
  }

  /** The same, then SiLU. */
  public Tensor forwardSilu(Tensor x) {
    return forward(x).onlyForNext().silu();
  }
}
