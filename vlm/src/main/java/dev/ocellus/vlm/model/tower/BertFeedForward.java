package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;

/** The feed-forward block of BERT: added to what came in, and then normed. */
public record BertFeedForward(Mlp mlp, LayerNorm norm) {
  /** Weights {@code ffn_up} [nEmbd, nFf], {@code ffn_down} [nFf, nEmbd], {@code ffn_ln} [nEmbd]. */
  public static BertFeedForward of(LayerConfig c, Weights w) {
    return new BertFeedForward(
        Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
        LayerNorm.of(w.at("ffn_ln"), c.nEmbd(), c.eps()));
  }

  /** The shape stays. */
  public Tensor forward(Tensor x) {
    return norm.forward(mlp.forward(x).add(x));
  }
}
