package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * A linear layer behind pooling, whose rows are few. ggml multiplies a single row with another
 * kernel, which adds in another order than that for several; here a row alone is computed as two,
 * so that what comes out does not depend on how many are computed together. For the same reason no
 * accelerator takes many rows.
 */
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
    if (x.size(1) > 1) {
      return linear.forwardEach(x);
    }
    Tensor y = linear.forwardEach(x.repeat(x.size(0), 2));
    return y.slice(new long[] {}, y.size(0), 1).contiguous();
  }
}
