package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * {@link GatedMlp} of layers that hold what goes in and what comes out within ranges. An
 * accelerator does that to the hidden rows while it gates them.
 */
public final class ClippedGatedMlp {
  private final ClippedLinear gate;
  private final ClippedLinear up;
  private final Activation activation;
  private final ClippedLinear down;

  private ClippedGatedMlp(
      ClippedLinear gate, ClippedLinear up, Activation activation, ClippedLinear down) {
    this.gate = gate;
    this.up = up;
    this.activation = activation;
    this.down = down;
  }

  /**
   * Weights {@code ffn_gate} and {@code ffn_up}, both [nEmbd, nFf], and {@code ffn_down} [nFf,
   * nEmbd].
   */
  public static ClippedGatedMlp of(Weights w, long nEmbd, long nFf, Activation activation) {
    return new ClippedGatedMlp(
        ClippedLinear.of(w.at("ffn_gate"), nEmbd, nFf),
        ClippedLinear.of(w.at("ffn_up"), nEmbd, nFf),
        activation,
        ClippedLinear.of(w.at("ffn_down"), nFf, nEmbd));
  }

  /** From [nEmbd, n, …] to the same shape. */
  public Tensor forward(Tensor x) {
    ClippedLinear.Input input = new ClippedLinear.Input(x);
    return down.forwardClipped(
        activation.gate(
            gate.product(input), gate.outputs(), up.product(input), up.outputs(), down.inputs()));
  }
}
