package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

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

  /** From [nIn, …] to [nOut, …]. */
  public Tensor forward(Tensor x) {
    return down.forward(activation.apply(gate.forward(x)).mul(up.forward(x)));
  }
}
