package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

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

  private Attention(
      Linear q, Linear k, Linear v, Linear out, long nEmbd, long nHead, boolean fused) {
    this.q = q;
    this.k = k;
    this.v = v;
    this.out = out;
    this.nEmbd = nEmbd;
    this.nHead = nHead;
    this.fused = fused;
  }

  /**
   * Weights {@code attn_q}, {@code attn_k}, {@code attn_v}, {@code attn_out}, each [nEmbd, nEmbd].
   */
  public static Attention of(Weights w, long nEmbd, long nHead) {
    return new Attention(
        Linear.of(w.at("attn_q"), nEmbd, nEmbd),
        Linear.of(w.at("attn_k"), nEmbd, nEmbd),
        Linear.of(w.at("attn_v"), nEmbd, nEmbd),
        Linear.of(w.at("attn_out"), nEmbd, nEmbd),
        nEmbd,
        nHead,
        w.onCpu());
  }

  /** From [nEmbd, n, batch] to the same shape. */
  public Tensor forward(Tensor x) {
    Tensor query = heads(q.forward(x));
    Tensor key = heads(k.forward(x));
    Tensor value = heads(v.forward(x));
    float scale = (float) (1 / Math.sqrt((double) nEmbd / nHead));
    Tensor mixed = // [dHead, nHead, nQueries, batch]
        fused ? inOneKernel(query, key, value, scale) : stepwise(query, key, value, scale);
    return out.forward(mixed.reshape(nEmbd, x.size(1), x.size(2)));
  }

  /** Rows of one head side by side are read often enough to pay for the copies. */
  private static Tensor inOneKernel(Tensor query, Tensor key, Tensor value, float scale) {
    return query.attention(key.contiguous(), value.contiguous(), scale);
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
