package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** BERT's and ViT's pooler: {@code tanh} of a linear layer of the first token's state. */
public final class Pooler {
  private final Projection dense;

  private Pooler(Projection dense) {
    this.dense = dense;
  }

  /** Weights {@code weight} [nEmbd, nEmbd] and, where the file has it, {@code bias} [nEmbd]. */
  public static Pooler of(Weights w, long nEmbd) {
    return new Pooler(Projection.of(w, nEmbd, nEmbd));
  }

  /** The states of first tokens, [nEmbd, n], to the same shape. */
  public Tensor forward(Tensor x) {
    return dense.forward(x).tanh();
  }
}
