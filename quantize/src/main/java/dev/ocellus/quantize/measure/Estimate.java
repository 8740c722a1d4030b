package dev.ocellus.quantize.measure;

/**
 * A mean with its standard error.
 *
 * @param value the mean
 * @param error its standard error; 0 where it cannot be told
 */
public record Estimate(double value, double error) {

  /** As llama-perplexity computes both. */
  static Estimate ofSums(double sum, double squares, long count) {
    if (count < 1) {
      return new Estimate(0, 0);
    }
    double mean = sum / count;
    double variance = squares / count - mean * mean;
    return new Estimate(mean, variance > 0 && count > 10 ? Math.sqrt(variance / (count - 1)) : 0);
  }

  /** {@code e} to its power. */
  Estimate exp() {
    return new Estimate(Math.exp(value), Math.exp(value) * error);
  }

  /** Half the width of the interval that holds the true value with 95 %. */
  public double confidence95() {
    return 1.959964 * error;
  }
}
