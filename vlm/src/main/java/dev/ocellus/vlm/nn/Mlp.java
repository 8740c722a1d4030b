package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** Two linear layers with an activation between them. */
public final class Mlp {
  private static final String DOWN = "ffn_down.weight";

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
   * exchanged the two names; both ways are understood where the sizes tell, and where they do not,
   * as nFf is nEmbd, the names are right.
   */
  public static Mlp of(Weights w, long nEmbd, long nFf, Activation activation) {
    boolean exchanged = w.has(DOWN) && exchanged(w, nEmbd);
    return new Mlp(
        Linear.of(w.at(exchanged ? "ffn_down" : "ffn_up"), nEmbd, nFf),
        activation,
        Linear.of(w.at(exchanged ? "ffn_up" : "ffn_down"), nFf, nEmbd));
  }

  /** The same with the width {@code nFf} that the weights have, where metadata do not tell it. */
  public static Mlp of(Weights w, long nEmbd, Activation activation) {
    long nFf = exchanged(w, nEmbd) ? w.outputs(DOWN) : w.shape(DOWN)[0];
    return of(w, nEmbd, nFf, activation);
  }

  private static boolean exchanged(Weights w, long nEmbd) {
    return w.shape(DOWN)[0] == nEmbd && w.outputs(DOWN) != nEmbd;
  }

  /**
   * A projector: {@code first} [nIn, hidden] and {@code second} [hidden, nOut], where hidden and
   * nOut are what the weights have.
   */
  public static Mlp projector(Weights first, Weights second, long nIn, Activation activation) {
    int hidden = first.outputs("weight");
    return new Mlp(
        Linear.of(first, nIn, hidden),
        activation,
        Linear.of(second, hidden, second.outputs("weight")));
  }

  /** From [nIn, …] to [nOut, …]. */
  public Tensor forward(Tensor x) {
    return second.forward(activation.apply(first.forward(x)));
  }

  /** The same of one row of each member of a batch: from [nIn, 1, batch] to [nOut, 1, batch]. */
  public Tensor forwardEach(Tensor x) {
    return second.forwardEach(activation.apply(first.forwardEach(x)));
  }
}
