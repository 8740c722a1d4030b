package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.LayerNorm;
import org.jspecify.annotations.Nullable;

/**
 * Attention of BERT's rows to the states of an image or of a text: added to what came in, and then
 * normed. Keys and values of the states may be computed once for many runs.
 */
public record BertCrossAttention(CrossAttention attention, LayerNorm norm) {
  /**
   * Weights {@code cross.attn_q} and {@code cross.attn_out} [nEmbd, nEmbd], {@code cross.attn_k}
   * and {@code cross.attn_v} [nStates, nEmbd], and {@code cross.attn_ln} [nEmbd].
   *
   * @param nStates width of the states
   */
  public static BertCrossAttention of(LayerConfig c, Weights w, long nStates) {
    Weights cross = w.at("cross");
    return new BertCrossAttention(
        CrossAttention.of(cross, c.nEmbd(), nStates, c.nHead()),
        LayerNorm.of(cross.at("attn_ln"), c.nEmbd(), c.eps()));
  }

  /** Keys and values of states [nStates, n, batch]. */
  public KeysValues keysValues(Tensor states) {
    return attention.keysValues(states);
  }

  /**
   * From [nEmbd, n, batch] to the same shape.
   *
   * @param mask for the states' rows and n queries; null for none
   */
  public Tensor forward(Tensor x, KeysValues states, @Nullable AttentionMask mask) {
    return norm.forward(attention.forward(x, states, mask).add(x));
  }
}
