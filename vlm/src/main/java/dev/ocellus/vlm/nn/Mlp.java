package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** Two linear maps with an activation between them. */
public final class Mlp {
  private final Linear first;
  private final Activation activation;
  private final Linear second;

  public Mlp(Linear first, Activation activation, Linear second) {
    this.first = first;
    this.activation = activation;
    this.second = second;
  }

  /**
   * Weights {@code ffn_up} [nEmbd, nFf] and {@code ffn_down} [nFf, nEmbd]. The first converters
   * exchanged the two names; where the sizes tell, both ways are understood.
   */
  public static Mlp of(Weights w, long nEmbd, long nFf, Activation activation) {
    boolean exchanged =
        nEmbd != nFf && w.has("ffn_down.weight") && w.shape("ffn_down.weight")[0] == nEmbd;
    return new Mlp(
        Linear.of(w.at(exchanged ? "ffn_down" : "ffn_up"), nEmbd, nFf),
        activation,
        Linear.of(w.at(exchanged ? "ffn_up" : "ffn_down"), nFf, nEmbd));
  }

  /** From [nIn, …] to [nOut, …]. */
  public Tensor forward(Tensor x) {
    return second.forward(activation.apply(first.forward(x)));
  }
}
