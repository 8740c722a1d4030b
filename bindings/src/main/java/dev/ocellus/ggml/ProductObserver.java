package dev.ocellus.ggml;

/**
 * Sees the products of weights and activations while a graph is computed, such as for measuring
 * which columns of a weight matter. Called on the thread that computes.
 *
 * <p>An exception stops the computation and reaches whoever started it.
 */
public interface ProductObserver {
  /**
   * Whether {@link #observe} is to be called once the operands have their values. Where the answer
   * is no, nothing is held up.
   */
  boolean wants(Product product);

  /** The operands have their values now; the product is valid during this call only. */
  void observe(Product product);
}
