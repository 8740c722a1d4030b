package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Pooling by attention as InternVL has it (arXiv:2312.14238): the mean of all rows attends to all
 * of them; queries, keys and values have a norm each in front.
 */
public final class MeanAttentionPool {
  /** A row alone would take other kernels of ggml than several (see {@link Projection}). */
  private static final int COPIES = 2;

  private final LayerNorm queryNorm;
  private final LayerNorm keyNorm;
  private final LayerNorm valueNorm;
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nHead;
  private final AttentionKernel kernel;

  private MeanAttentionPool(Weights w, long nEmbd, long nHead, long nOut, float eps) {
    queryNorm = LayerNorm.of(w.at("ln_q"), nEmbd, eps);
    keyNorm = LayerNorm.of(w.at("ln_k"), nEmbd, eps);
    valueNorm = LayerNorm.of(w.at("ln_v"), nEmbd, eps);
    q = Linear.of(w.at("attn_q"), nEmbd, nEmbd);
    k = Linear.of(w.at("attn_k"), nEmbd, nEmbd);
    v = Linear.of(w.at("attn_v"), nEmbd, nEmbd);
    out = Linear.of(w.at("attn_out"), nEmbd, nOut);
    this.nHead = nHead;
    kernel = AttentionKernel.of(w);
  }

  /**
   * Weights {@code ln_q}, {@code ln_k}, {@code ln_v} [nEmbd], {@code attn_q}, {@code attn_k},
   * {@code attn_v} [nEmbd, nEmbd] and {@code attn_out} [nEmbd, nOut].
   */
  public static MeanAttentionPool of(Weights w, long nEmbd, long nHead, long nOut, float eps) {
    return new MeanAttentionPool(w, nEmbd, nHead, nOut, eps);
  }

  /** From [nEmbd, rows, n] to [nOut, n]. */
  public Tensor forward(Tensor x) {
    long nEmbd = x.size(0);
    long n = x.size(2);
    Tensor mean = x.transpose().contiguous().meanRows().reshape(nEmbd, 1, n);
    Tensor query = queryNorm.forward(mean.repeat(nEmbd, COPIES, n));
    Tensor mixed =
        DotProductAttention.forward(
            heads(q.forward(query)),
            heads(k.forward(keyNorm.forward(x))),
            heads(v.forward(valueNorm.forward(x))),
            kernel);
    Tensor y = out.forward(mixed); // [nOut, COPIES, n]
    return y.slice(new long[] {}, y.size(0), 1, n).contiguous().reshape(y.size(0), n);
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(x.size(0) / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
