package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head self-attention (arXiv:1706.03762): bidirectional, or with a mask such as a causal one,
 * or against a {@link KvCache}.
 */
public final class Attention {
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nEmbd;
  private final long nHead;
  private final AttentionKernel kernel;
  private final @Nullable RmsNorm qNorm;
  private final @Nullable RmsNorm kNorm;

  private Attention(
      Weights w,
      String name,
      long nEmbd,
      long nHead,
      @Nullable RmsNorm qNorm,
      @Nullable RmsNorm kNorm) {
    this.q = Linear.of(w.at(name + "_q"), nEmbd, nEmbd);
    this.k = Linear.of(w.at(name + "_k"), nEmbd, nEmbd);
    this.v = Linear.of(w.at(name + "_v"), nEmbd, nEmbd);
    this.out = Linear.of(w.at(name + "_out"), nEmbd, nEmbd);
    this.nEmbd = nEmbd;
    this.nHead = nHead;
    this.kernel = AttentionKernel.of(w);
    this.qNorm = qNorm;
    this.kNorm = kNorm;
  }

  /**
   * Weights {@code attn_q}, {@code attn_k}, {@code attn_v}, {@code attn_out}, each [nEmbd, nEmbd].
   */
  public static Attention of(Weights w, long nEmbd, long nHead) {
    return of(w, "attn", nEmbd, nHead);
  }

  /** The same with another beginning of the names than {@code attn}. */
  public static Attention of(Weights w, String name, long nEmbd, long nHead) {
    return new Attention(w, name, nEmbd, nHead, null, null);
  }

  /**
   * The same with queries and keys normed before they are cut into heads: weights {@code
   * attn_q_norm} and {@code attn_k_norm}, both [nEmbd].
   */
  public static Attention normed(Weights w, long nEmbd, long nHead, float eps) {
    return new Attention(
        w,
        "attn",
        nEmbd,
        nHead,
        RmsNorm.of(w.at("attn_q_norm"), nEmbd, eps),
        RmsNorm.of(w.at("attn_k_norm"), nEmbd, eps));
  }

  /** From [nEmbd, n, batch] to the same shape; bidirectional. */
  public Tensor forward(Tensor x) {
    return forward(x, null);
  }

  /**
   * From [nEmbd, n, batch] to the same shape.
   *
   * @param mask for n keys and n queries; null for none
   */
  public Tensor forward(Tensor x, @Nullable AttentionMask mask) {
    Tensor query = heads(normed(q.forward(x), qNorm));
    Tensor key = heads(normed(k.forward(x), kNorm));
    Tensor value = heads(v.forward(x));
    return out.forward(DotProductAttention.forward(query, key, value, mask, kernel));
  }

  /**
   * The same for one row of each member of a batch, which attends to all of them.
   *
   * @param mask for n keys and n queries; null for none
   * @return [nEmbd, 1, batch]
   */
  public Tensor forward(Tensor x, @Nullable AttentionMask mask, SpeakingRow row) {
    Tensor query = heads(normed(q.forwardEach(row.of(x)), qNorm));
    Tensor key = heads(normed(k.forward(x), kNorm));
    Tensor value = heads(v.forward(x));
    AttentionMask seen = mask == null ? null : row.of(mask, x.size(2));
    // from 512 keys on ggml's fused kernel divides those of a single query among its threads, whose
    // number would decide how sums are rounded
    return out.forwardEach(
        DotProductAttention.forward(query, key, value, seen, AttentionKernel.STEPWISE));
  }

  /**
   * The same against a cache, to which the keys and values of {@code x} are added first.
   *
   * @param places numbers of the rows in the cache that these rows take, [n] from {@link
   *     dev.ocellus.vlm.graph.ModelGraph#indices}
   * @param mask for as many keys as are attended to, from the first row of the cache on, and n
   *     queries
   */
  public Tensor forward(Tensor x, KvCache.Layer cache, Tensor places, AttentionMask mask) {
    Tensor query = heads(normed(q.forward(x), qNorm));
    KeysValues cached =
        cache.append(normed(k.forward(x), kNorm), v.forward(x), places, mask.nKeys());
    return out.forward(
        DotProductAttention.forward(query, cached.keys(), cached.values(), mask, kernel));
  }

  private static Tensor normed(Tensor x, @Nullable RmsNorm norm) {
    return norm == null ? x : norm.forward(x);
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
