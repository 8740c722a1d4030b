package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.RotaryAttention;
import dev.ocellus.vlm.nn.Windows;

/**
 * A layer of Qwen2.5-VL's and GLM-4V's towers: attention with rotary positions and a gated
 * feed-forward block, each behind an RMS norm and added to what came in. The width inside the
 * feed-forward block is read off the weights, since converters write another to the metadata.
 */
public record GatedRotaryLayer(RmsNorm ln1, RotaryAttention attention, RmsNorm ln2, GatedMlp mlp) {
  public static GatedRotaryLayer of(QwenConfig c, float eps, Weights w, Activation activation) {
    return new GatedRotaryLayer(
        RmsNorm.of(w.at("ln1"), c.nEmbd(), eps),
        RotaryAttention.of(w, c.nEmbd(), c.nHead(), eps),
        RmsNorm.of(w.at("ln2"), c.nEmbd(), eps),
        GatedMlp.of(w, c.nEmbd(), w.outputs("ffn_gate.weight"), activation));
  }

  /** From [nEmbd, n, batch] to the same shape. */
  public Tensor forward(Tensor x, Rope2d rope, Windows windows) {
    x = x.add(attention.forward(ln1.forward(x), rope, windows));
    return x.add(mlp.forward(ln2.forward(x)));
  }
}
