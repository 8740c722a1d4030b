package dev.ocellus.compute;

/**
 * How activations are multiplied with matrices of weights on a CPU. Other devices take the matrices
 * as they are stored.
 */
public enum MatrixPrecision {
  /**
   * In F32: matrices of F16 and BF16 are widened for the product, piece by piece, so they take no
   * more memory. Quantized ones are taken as they are stored.
   */
  EXACT,
  /**
   * As they are stored. The kernels round the activations to the type of the matrix: to F16 or
   * BF16, or to blocks of 8 bits.
   */
  STORED,
  /**
   * In BF16, with 8 bits of mantissa. Matrices of floats are converted when they are loaded, here
   * and for the following.
   */
  BF16,
  /** In Q8_0, blocks of 32 numbers of 8 bits that share a scale. */
  Q8_0,
  /** {@link #BF16} where the processor has instructions for it, otherwise {@link #Q8_0}. */
  FAST
}
