package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** {@code down(activation(gate(x)) · up(x))} (arXiv:2002.05202). */
public final class GatedMlp {
  private final Linear gate;
  private final Linear up;
  private final Activation activation;
  private final Linear down;

  public GatedMlp(Linear gate, Linear up, Activation activation, Linear down) {
    this.gate = gate;
    this.up = up;
    this.activation = activation;
    this.down = down;
  }

  /**
   * Weights {@code ffn_gate} and {@code ffn_up}, both [nEmbd, nFf], and {@code ffn_down} [nFf,
   * nEmbd].
   */
  public static GatedMlp of(Weights w, long nEmbd, long nFf, Activation activation) {
    return new GatedMlp(
        Linear.of(w.at("ffn_gate"), nEmbd, nFf),
        Linear.of(w.at("ffn_up"), nEmbd, nFf),
        activation,
        Linear.of(w.at("ffn_down"), nFf, nEmbd));
  }

  /** From [nIn, …] to [nOut, …]. */
  public Tensor forward(Tensor x) {
    return down.forward(activation.gate(gate.forward(x), up.forward(x)));
  }
}
