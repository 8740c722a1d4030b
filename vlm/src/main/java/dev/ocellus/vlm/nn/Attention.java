package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head self-attention in which every row sees every other (arXiv:1706.03762), in F32
 * throughout. On a CPU that is ggml's fused kernel, given F32 keys and values. On other devices
 * fused kernels round those to F16, so the steps are taken one by one there.
 */
public final class Attention {
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nEmbd;
  private final long nHead;
  private final boolean fused;
  private final @Nullable RmsNorm qNorm;
  private final @Nullable RmsNorm kNorm;

  private Attention(
      Weights w, long nEmbd, long nHead, @Nullable RmsNorm qNorm, @Nullable RmsNorm kNorm) {
    this.q = Linear.of(w.at("attn_q"), nEmbd, nEmbd);
    this.k = Linear.of(w.at("attn_k"), nEmbd, nEmbd);
    this.v = Linear.of(w.at("attn_v"), nEmbd, nEmbd);
    this.out = Linear.of(w.at("attn_out"), nEmbd, nEmbd);
    this.nEmbd = nEmbd;
    this.nHead = nHead;
    this.fused = w.onCpu();
    this.qNorm = qNorm;
    this.kNorm = kNorm;
  }

  /**
   * Weights {@code attn_q}, {@code attn_k}, {@code attn_v}, {@code attn_out}, each [nEmbd, nEmbd].
   */
  public static Attention of(Weights w, long nEmbd, long nHead) {
    return new Attention(w, nEmbd, nHead, null, null);
  }

  /**
   * The same with queries and keys normed before they are cut into heads: weights {@code
   * attn_q_norm} and {@code attn_k_norm}, both [nEmbd].
   */
  public static Attention normed(Weights w, long nEmbd, long nHead, float eps) {
    return new Attention(
        w,
        nEmbd,
        nHead,
        RmsNorm.of(w.at("attn_q_norm"), nEmbd, eps),
        RmsNorm.of(w.at("attn_k_norm"), nEmbd, eps));
  }

  /** From [nEmbd, n, batch] to the same shape. */
  public Tensor forward(Tensor x) {
    Tensor query = heads(normed(q.forward(x), qNorm));
    Tensor key = heads(normed(k.forward(x), kNorm));
    Tensor value = heads(v.forward(x));
    float scale = (float) (1 / Math.sqrt((double) nEmbd / nHead));
    Tensor mixed =
        fused
            ? DotProductAttention.forward(query, key, value, true)
            : stepwise(query, key, value, scale).reshape(nEmbd, x.size(1), x.size(2));
    return out.forward(mixed);
  }

  private static Tensor normed(Tensor x, @Nullable RmsNorm norm) {
    return norm == null ? x : norm.forward(x);
  }

  private static Tensor stepwise(Tensor query, Tensor key, Tensor value, float scale) {
    Tensor weights = query.mulMat(key).softMax(scale); // [nKeys, nQueries, nHead, batch]
    Tensor mixed = weights.mulMat(value.transpose().contiguous());
    return mixed.permute(0, 2, 1, 3).contiguous();
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
