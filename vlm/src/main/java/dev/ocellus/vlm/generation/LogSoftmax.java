package dev.ocellus.vlm.generation;

/** Logarithms of probabilities. */
final class LogSoftmax {
  private LogSoftmax() {}

  /** The logarithm of the sum of the exponentials. */
  static double logSum(float[] logits, int from, int n) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, logits[from + i]);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.exp(logits[from + i] - max);
    }
    return max + Math.log(sum);
  }

  /** The same of doubles. */
  static double logSum(double[] values) {
    double max = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      max = Math.max(max, value);
    }
    double sum = 0;
    for (double value : values) {
      sum += Math.exp(value - max);
    }
    return max + Math.log(sum);
  }
}
