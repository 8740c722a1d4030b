package dev.ocellus.vlm.generation;

/**
 * How likely an image is under a model: the sum, by the chain rule, of the logarithms of the
 * probabilities of its pixels or codes, each given those before it.
 *
 * @param logLikelihood in nats
 * @param perPosition the terms of the sum, in nats, in the order in which they are predicted
 */
public record ImageScore(double logLikelihood, double[] perPosition) {
  /** The sum of terms. */
  static ImageScore of(double[] perPosition) {
    double sum = 0;
    for (double term : perPosition) {
      sum += term;
    }
    return new ImageScore(sum, perPosition);
  }

  /** Bits that a perfect code would need for each pixel or code. */
  public double bitsPerDimension() {
    return -logLikelihood / perPosition.length / Math.log(2);
  }
}
