package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/** {@code y = W x + b}. */
public final class Linear {
  private final MatrixProduct product;
  private final @Nullable Tensor bias;

  private Linear(MatrixProduct product, @Nullable Tensor bias) {
    this.product = product;
    this.bias = bias;
  }

  /** Weights {@code weight} [nIn, nOut] and, where the file has it, {@code bias} [nOut]. */
  public static Linear of(Weights w, long nIn, long nOut) {
    return new Linear(MatrixProduct.of(w, "weight", nIn, nOut), w.findF32("bias", nOut));
  }

  /** From [nIn, n, …] to [nOut, n, …]; those of each n rows are as if computed alone. */
  public Tensor forward(Tensor x) {
    return forward(x, x.size(1));
  }

  /**
   * The same of rows that are items of their own. ggml multiplies a single row with another kernel,
   * which adds in another order than that for several; here a row alone is computed as two, so that
   * what comes out does not depend on how many are computed together. For the same reason no
   * accelerator takes many rows.
   */
  Tensor forwardEach(Tensor x) {
    if (x.nElements() > x.size(0)) {
      return forward(x, 1);
    }
    Tensor y = forward(x.repeat(x.size(0), 2), 1);
    return y.slice(new long[] {}, y.size(0), 1).contiguous();
  }

  private Tensor forward(Tensor x, long itemRows) {
    // one product of matrices for a whole batch is faster than one for each of its members
    Tensor rows = x.reshape(x.size(0), x.nElements() / x.size(0));
    Tensor y = product.forward(rows, itemRows);
    y = bias == null ? y : y.add(bias);
    return y.reshape(y.size(0), x.size(1), x.size(2), x.size(3));
  }
}
