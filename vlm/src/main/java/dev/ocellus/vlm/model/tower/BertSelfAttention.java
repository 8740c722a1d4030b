package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.LayerNorm;
import org.jspecify.annotations.Nullable;

/** Self-attention of BERT (arXiv:1810.04805): added to what came in, and then normed. */
public record BertSelfAttention(Attention attention, LayerNorm norm) {
  /**
   * Weights {@code attn_q}, {@code attn_k}, {@code attn_v}, {@code attn_out}, each [nEmbd, nEmbd],
   * and {@code attn_ln} [nEmbd].
   */
  public static BertSelfAttention of(LayerConfig c, Weights w) {
    return new BertSelfAttention(
        Attention.of(w, c.nEmbd(), c.nHead()), LayerNorm.of(w.at("attn_ln"), c.nEmbd(), c.eps()));
  }

  /**
   * From [nEmbd, n, batch] to the same shape.
   *
   * @param mask for n keys and n queries; null for a bidirectional one
   */
  public Tensor forward(Tensor x, @Nullable AttentionMask mask) {
    return norm.forward(attention.forward(x, mask).add(x));
  }

  /**
   * The same against a cache, as {@link Attention#forward(Tensor, KvCache.Layer, Tensor,
   * AttentionMask)}.
   */
  public Tensor forward(Tensor x, KvCache.Layer cache, Tensor places, AttentionMask mask) {
    return norm.forward(attention.forward(x, cache, places, mask).add(x));
  }
}
