package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Pooling by attention as SigLIP has it (arXiv:2303.15343): a learned query attends to all patches,
 * and a feed-forward block stands behind it.
 */
public final class ProbePooling {
  /** A row alone would take other kernels of ggml than several (see {@link Projection}). */
  private static final int COPIES = 2;

  private final Tensor probe;
  private final CrossAttention attention;
  private final LayerNorm norm;
  private final Mlp mlp;

  private ProbePooling(Weights w, long nEmbd, long nFf, long nHead, float eps, Activation act) {
    probe = w.f32("probe", nEmbd);
    attention = CrossAttention.of(w, nEmbd, nEmbd, nHead);
    norm = LayerNorm.of(w.at("ln"), nEmbd, eps);
    mlp = Mlp.of(w, nEmbd, nFf, act);
  }

  /**
   * Weights {@code probe} [nEmbd], those of {@link CrossAttention}, {@code ln}, {@code ffn_up} and
   * {@code ffn_down}.
   */
  public static ProbePooling of(
      Weights w, long nEmbd, long nFf, long nHead, float eps, Activation activation) {
    return new ProbePooling(w, nEmbd, nFf, nHead, eps, activation);
  }

  /** From [nEmbd, nPatches, n] to [nEmbd, n]. */
  public Tensor forward(Tensor states) {
    long nEmbd = states.size(0);
    long n = states.size(2);
    Tensor queries = probe.inGraphOf(states).repeat(nEmbd, COPIES, n);
    Tensor x = attention.forward(queries, attention.keysValues(states), null);
    x = x.add(mlp.forward(norm.forward(x)));
    return x.slice(new long[] {}, nEmbd, 1, n).contiguous().reshape(nEmbd, n);
  }
}
