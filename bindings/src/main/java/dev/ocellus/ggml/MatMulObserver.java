package dev.ocellus.ggml;

/**
 * Sees the matrix multiplications of weights with activations while a graph is computed, such as
 * for measuring which columns of a weight matter. Called on the thread that computes.
 *
 * <p>An exception stops the computation and reaches whoever started it.
 */
public interface MatMulObserver {
  /**
   * Whether {@link #observe} is to be called once the operands have their values. Where the answer
   * is no, nothing is held up.
   */
  boolean wants(MatMul matMul);

  /** The operands have their values now; the object is valid during this call only. */
  void observe(MatMul matMul);
}
