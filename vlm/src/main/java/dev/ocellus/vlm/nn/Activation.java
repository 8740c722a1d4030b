package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Range;
import dev.ocellus.ggml.Tensor;
import java.util.function.UnaryOperator;

/**
 * What a feed-forward block applies between its two linear layers, by the names that papers use.
 */
public enum Activation {
  /** {@code x · Φ(x)} by the error function. */
  GELU(x -> x.geluErf().ofItems(x.size(1), x.size(2) * x.size(3))),
  /** {@code x · sigmoid(1.702 x)}. */
  QUICK_GELU(Tensor::geluQuick),
  /** GELU by the hyperbolic tangent. */
  GELU_TANH(Tensor::geluTanh),
  /** {@code x · sigmoid(x)}. */
  SILU(Tensor::silu),
  /** {@code max(x, 0)}. */
  RELU(Tensor::relu);

  private final UnaryOperator<Tensor> function;

  Activation(UnaryOperator<Tensor> function) {
    this.function = function;
  }

  /** The shape stays. */
  public Tensor apply(Tensor x) {
    return function.apply(x);
  }

  /**
   * {@code activation(gate) · x}, element by element.
   *
   * @param gate which nothing else may read, as the results may be written over it
   */
  public Tensor gate(Tensor gate, Tensor x) {
    return gate(gate, Range.ALL, x, Range.ALL, Range.ALL);
  }

  /**
   * The same with numbers that are held within ranges: those of the gate and of {@code x} before,
   * and the products.
   */
  Tensor gate(Tensor gate, Range ofGate, Tensor x, Range ofX, Range results) {
    return this == GELU_TANH
        ? gate.geluTanhTimes(ofGate, x, ofX, results)
        : results.clip(apply(ofGate.clip(gate)).mul(ofX.clip(x)));
  }
}
