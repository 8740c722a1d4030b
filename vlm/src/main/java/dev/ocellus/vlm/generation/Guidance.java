package dev.ocellus.vlm.generation;

/** Classifier-free guidance (arXiv:2207.12598) of what comes next. */
final class Guidance {
  private Guidance() {}

  /**
   * {@code u + guidance · (c - u)} of the logarithms of the probabilities.
   *
   * @param with place of the first logit of the row that sees the condition
   * @param without of the row that does not
   * @param n logits of a row
   */
  static float[] of(float[] logits, int with, int without, int n, double guidance) {
    double sumWith = LogSoftmax.logSum(logits, with, n);
    double sumWithout = LogSoftmax.logSum(logits, without, n);
    float[] out = new float[n];
    for (int k = 0; k < n; k++) {
      double c = logits[with + k] - sumWith;
      double u = logits[without + k] - sumWithout;
      out[k] = (float) (u + guidance * (c - u));
    }
    return out;
  }
}
