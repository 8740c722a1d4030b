package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Multi-head self-attention in which every row sees every other (arXiv:1706.03762), in F32
 * throughout: ggml's fused kernel would round keys and values to F16.
 */
public final class Attention {
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nEmbd;
  private final long nHead;

  private Attention(Linear q, Linear k, Linear v, Linear out, long nEmbd, long nHead) {
    this.q = q;
    this.k = k;
    this.v = v;
    this.out = out;
    this.nEmbd = nEmbd;
    this.nHead = nHead;
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
        nHead);
  }

  /** From [nEmbd, n, batch] to the same shape. */
  public Tensor forward(Tensor x) {
    Tensor query = heads(q.forward(x));
    Tensor key = heads(k.forward(x));
    Tensor value = heads(v.forward(x)).transpose().contiguous(); // [n, dHead, nHead, batch]
    float scale = (float) (1 / Math.sqrt((double) nEmbd / nHead));
    Tensor weights = query.mulMat(key).softMax(scale); // [nKeys, nQueries, nHead, batch]
    Tensor mixed = weights.mulMat(value); // [dHead, nQueries, nHead, batch]
    return out.forward(mixed.permute(0, 2, 1, 3).contiguous().reshape(nEmbd, x.size(1), x.size(2)));
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
