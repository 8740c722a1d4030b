package dev.ocellus.vlm.generation;

import java.util.Arrays;

/**
 * How far two sets of scores are apart.
 *
 * @param estimate the mean of the first less that of the second: for a critic of WGAN, whose slope
 *     is about 1, an estimate from below of the Wasserstein-1 distance of the images
 * @param low of the interval in which that difference lies with a confidence of 95 %, by the normal
 *     distribution; not a number for fewer than two scores a set
 * @param high of it
 * @param scores the exact Wasserstein-1 distance of the two sets of scores
 */
public record Wasserstein(double estimate, double low, double high, double scores) {
  /** Of the normal distribution, for 95 % in the middle. */
  private static final double QUANTILE = 1.959963984540054;

  /**
   * Compares scores.
   *
   * @throws IllegalArgumentException if a set is empty
   */
  public static Wasserstein of(double[] real, double[] fake) {
    double estimate = mean(real) - mean(fake);
    double error = Math.sqrt(variance(real) / real.length + variance(fake) / fake.length);
    return new Wasserstein(
        estimate, estimate - QUANTILE * error, estimate + QUANTILE * error, exact(real, fake));
  }

  private static double mean(double[] values) {
    return Arrays.stream(values)
        .average()
        .orElseThrow(() -> new IllegalArgumentException("expected at least one score"));
  }

  private static double variance(double[] values) {
    double mean = mean(values);
    double sum = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    return sum / (values.length - 1);
  }

  /**
   * The exact Wasserstein-1 distance of two sets of numbers, each of which weighs the same in its
   * set: the area between the two distribution functions.
   *
   * @throws IllegalArgumentException if a set is empty
   */
  public static double exact(double[] first, double[] second) {
    if (first.length == 0 || second.length == 0) {
      throw new IllegalArgumentException("expected at least one score");
    }
    double[] a = first.clone();
    double[] b = second.clone();
    Arrays.sort(a);
    Arrays.sort(b);
    double area = 0;
    double before = Math.min(a[0], b[0]);
    int i = 0;
    int j = 0;
    while (i < a.length || j < b.length) {
      boolean fromA = j == b.length || (i < a.length && a[i] <= b[j]);
      double at = fromA ? a[i] : b[j];
      area += (at - before) * Math.abs((double) i / a.length - (double) j / b.length);
      before = at;
      if (fromA) {
        i++;
      } else {
        j++;
      }
    }
    return area;
  }
}
