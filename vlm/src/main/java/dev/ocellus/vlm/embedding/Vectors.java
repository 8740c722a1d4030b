package dev.ocellus.vlm.embedding;

/** Arithmetic of vectors; sums are kept in double precision. */
public final class Vectors {
  private Vectors() {}

  /**
   * The vector with length 1; one of zeros, or with a number that is none, as it is.
   *
   * @return a new array
   */
  public static float[] normalized(float[] vector) {
    double length = Math.sqrt(dot(vector, vector));
    float[] out = vector.clone();
    if (length > 0) {
      for (int i = 0; i < out.length; i++) {
        out[i] = (float) (vector[i] / length);
      }
    }
    return out;
  }

  /**
   * The product of two vectors: their cosine where both have length 1.
   *
   * @throws IllegalArgumentException if their dimensions differ
   */
  public static double dot(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "vectors of %d and of %d numbers are of two models".formatted(a.length, b.length));
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /** The mean of vectors of one dimension, at least one. */
  static float[] mean(Iterable<float[]> vectors) {
    double[] sum = new double[0];
    int n = 0;
    for (float[] vector : vectors) {
      sum = n == 0 ? new double[vector.length] : sum;
      for (int i = 0; i < sum.length; i++) {
        sum[i] += vector[i];
      }
      n++;
    }
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / n);
    }
    return mean;
  }
}
