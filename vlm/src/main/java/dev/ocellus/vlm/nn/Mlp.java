package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

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

  /** From [nIn, …] to [nOut, …]. */
  public Tensor forward(Tensor x) {
    return second.forward(activation.apply(first.forward(x)));
  }
}
