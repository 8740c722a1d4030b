package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.RotaryAttention;
import dev.ocellus.vlm.nn.Windows;

/**
 * A layer of the towers of Qwen2-VL, Qwen3-VL and PaddleOCR-VL: attention with rotary positions and
 * a feed-forward block, each behind a layer norm and added to what came in.
 *
 * <p>The width inside the feed-forward block is read off the weights, since no converter writes it
 * to the metadata: the first put 0 there, and later ones the width of the text model.
 */
public record RotaryLayer(LayerNorm ln1, RotaryAttention attention, LayerNorm ln2, Mlp mlp) {
  public static RotaryLayer of(QwenConfig c, Weights w, Activation activation) {
    return of(c, QwenConfig.EPS, w, activation);
  }

  /**
   * The same with norms of another epsilon.
   *
   * @param eps of all norms
   */
  public static RotaryLayer of(QwenConfig c, float eps, Weights w, Activation activation) {
    return new RotaryLayer(
        LayerNorm.of(w.at("ln1"), c.nEmbd(), eps),
        RotaryAttention.of(w, c.nEmbd(), c.nHead(), eps),
        LayerNorm.of(w.at("ln2"), c.nEmbd(), eps),
        Mlp.of(w, c.nEmbd(), activation));
  }

  /** From [nEmbd, n, batch] to the same shape. */
  public Tensor forward(Tensor x, Rope2d rope, Windows windows) {
    x = x.add(attention.forward(ln1.forward(x), rope, windows));
    return x.add(mlp.forward(ln2.forward(x)));
  }
}
