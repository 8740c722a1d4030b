package dev.ocellus.tests.reference;

/**
 * How far results may be from the reference, and why.
 *
 * <p>Two F32 implementations of one graph that add in another order differ by at most 3e-6 in the
 * embeddings and 2e-5 in the logits of these models (measured: eager against fused attention). A
 * tenth of a percent has a cause: rounding to F16 somewhere.
 */
public final class Tolerances {
  /** Pixels after preprocessing: the same bytes, and the same F32 arithmetic on them. */
  public static final float PIXELS = 0;

  /**
   * Named stages of the encoder and its output, absolute, at rms 0.5 to 2. The largest difference
   * that was measured is 1.4e-5 (Qwen2.5-VL).
   */
  public static final float EMBEDDINGS = 2e-5f;

  /**
   * Rows of images: {@link #EMBEDDINGS} at rms 1 and below, in proportion above it. Florence-2's
   * tower is steeper: torch in single precision is 2.1e-5 from double precision on the odd
   * checkpoint, so two single precisions may be twice that apart.
   */
  static double rows(String model, double rms) {
    double atOne = model.equals("florence2-odd") ? 4.2e-5 : EMBEDDINGS;
    return atOne * Math.max(1, rms);
  }

  /** The same images in a batch of another size, where kernels add in another order. */
  public static final float BATCH = 1e-5f;

  /** Matrices of F16 multiplied as stored: activations are rounded to 11 bits in every product. */
  public static final double STORED_F16 = 5e-3;

  /** Smallest cosine of all rows of an image with the reference's. */
  public static final double COSINE = 0.9999999;

  /** A greedy token may differ where the second-best logit is closer than this. */
  public static final double GREEDY_MARGIN = 1e-3;

  /** Numbers of vectors of length 1, and probabilities. */
  static final float UNIT_VECTORS = 1e-5f;

  /** Logits of dual encoders: cosines that are multiplied with up to 100. */
  static final float LOGITS = 1e-4f;

  /** Logits of BLIP's heads and decoders, up to 20; torch itself is 1e-5 from double precision. */
  static final float SCORES = 1e-4f;

  /**
   * Logits of T5, which does not divide its scores, so that its softmax is steep: torch itself is
   * 3e-4 from double precision in the same model.
   */
  static final float T5_SCORES = 1e-3f;

  private Tolerances() {}
}
