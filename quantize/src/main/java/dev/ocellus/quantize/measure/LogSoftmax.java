package dev.ocellus.quantize.measure;

/** Logits to logarithms of probabilities. */
final class LogSoftmax {
  private static final double LOG2_E = 1.4426950408889634;
  private static final double LN_2 = 0.6931471805599453;

  private LogSoftmax() {}

  /** The largest logit and the logarithm of the sum of all exponentials above it. */
  record Norm(float max, double logSum) {
    /** The logarithm of a token's probability, given its logit. */
    double logProbability(float logit) {
      return (logit - max) - logSum;
    }
  }

  /**
   * Rounds where llama-perplexity does: differences and exponentials are floats, the sum is not.
   */
  static Norm norm(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += (float) exp(logit - max);
    }
    return new Norm(max, Math.log(sum));
  }

  /**
   * e to the power of x, which is at most 0; relative error below 1e-9. Several times as fast as
   * {@link Math#exp}, and a vocabulary of 150 000 tokens needs it for every one of them.
   */
  static double exp(double x) {
    if (!(x >= -700)) {
      return Double.isNaN(x) ? x : 0;
    }
    int power = (int) (x * LOG2_E - 0.5);
    double r = x - power * LN_2; // within half of ln 2 around 0
    double sum =
        1 + r * (1 + r * (1 / 2.0 + r * (1 / 6.0 + r * (1 / 24.0 + r * (1 / 120.0 + tail(r))))));
    return sum * Double.longBitsToDouble((power + 1023L) << 52);
  }

  /** Taylor's series from r^6 / 6! to r^9 / 9!, divided by r^5. */
  private static double tail(double r) {
    return r * (1 / 720.0 + r * (1 / 5040.0 + r * (1 / 40320.0 + r / 362880.0)));
  }
}
