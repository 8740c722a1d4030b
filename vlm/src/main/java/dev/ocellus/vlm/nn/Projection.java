package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** A linear layer behind pooling, whose rows are few: each is as if computed alone. */
public final class Projection {
  private final Linear linear;

  private Projection(Linear linear) {
    this.linear = linear;
  }

  /** Weights {@code weight} [nIn, nOut] and, where the file has it, {@code bias} [nOut]. */
  public static Projection of(Weights w, long nIn, long nOut) {
    return new Projection(Linear.of(w, nIn, nOut));
  }

  /** From [nIn, n] to [nOut, n]. */
  public Tensor forward(Tensor x) {
    return linear.forwardEach(x);
  }
}
