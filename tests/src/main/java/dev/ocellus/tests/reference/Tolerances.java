package dev.ocellus.tests.reference;

/**
 * How far results may be from the reference, and why.
 *
 * <p>Two F32 implementations of one graph that add in another order differ by at most 3e-6 in the
 * embeddings and 2e-5 in the logits of these models (measured: eager against fused attention). A
 * tenth of a percent has a cause: rounding to F16 somewhere.
 */
final class Tolerances {
  /** Pixels after preprocessing: the same bytes, and the same F32 arithmetic on them. */
  static final float PIXELS = 0;

  /** Named stages of the encoder and its output, absolute, at rms 0.5 to 2. */
  static final float EMBEDDINGS = 1e-4f;

  /** Smallest cosine of all rows of an image with the reference's. */
  static final double COSINE = 0.9999999;

  /** A greedy token may differ where the second-best logit is closer than this. */
  static final double GREEDY_MARGIN = 1e-3;

  private Tolerances() {}
}
