package dev.ocellus.tests.reference;

import java.util.List;

/**
 * How two arrays differ.
 *
 * @param maxError largest absolute difference
 * @param cosine of the angle between them as vectors
 * @param rms root of the mean square of the expected one
 */
record Difference(double maxError, double cosine, double rms) {
  static Difference of(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new AssertionError(
          "expected %d values, found %d".formatted(expected.length, actual.length));
    }
    double max = 0;
    double dot = 0;
    double a2 = 0;
    double e2 = 0;
    for (int i = 0; i < actual.length; i++) {
      double error = Math.abs((double) actual[i] - expected[i]);
      max = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(max, error);
      dot += (double) actual[i] * expected[i];
      a2 += (double) actual[i] * actual[i];
      e2 += (double) expected[i] * expected[i];
    }
    return new Difference(max, dot / Math.sqrt(a2 * e2), Math.sqrt(e2 / expected.length));
  }

  static float[] concat(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(p -> p.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  @Override
  public String toString() {
    return "max error %.2g, cosine %.9f, rms %.3f".formatted(maxError, cosine, rms);
  }
}
