package dev.ocellus.vlm.generation;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Draws codes by their logits, the same ones for the same seed on every machine. */
final class CodeSampler {
  private final SplittableRandom random;
  private final double temperature;
  private final int topK;

  /**
   * @param index of the image
   */
  CodeSampler(DrawOptions options, int index) {
    random = new SplittableRandom(options.seed() + index);
    temperature = options.temperature();
    topK = options.topK();
  }

  /**
   * The next code.
   *
   * @param logits of codes, from {@code from} on
   * @param n codes
   */
  int next(float[] logits, int from, int n) {
    double u = random.nextDouble(); // also where it is not needed, so that streams stay in step
    int best = best(logits, from, n);
    if (temperature == 0) {
      return best;
    }
    float lowest = topK > 0 && topK < n ? kth(logits, from, n) : Float.NEGATIVE_INFINITY;
    double[] weights = new double[n];
    double sum = 0;
    for (int i = 0; i < n; i++) {
      float logit = logits[from + i];
      weights[i] = logit >= lowest ? Math.exp((logit - logits[from + best]) / temperature) : 0;
      sum += weights[i];
    }
    double left = u * sum;
    for (int i = 0; i < n; i++) {
      left -= weights[i];
      if (left < 0 && weights[i] > 0) {
        return i;
      }
    }
    return best;
  }

  private static int best(float[] logits, int from, int n) {
    int best = 0;
    for (int i = 1; i < n; i++) {
      if (logits[from + i] > logits[from + best]) {
        best = i;
      }
    }
    return best;
  }

  private float kth(float[] logits, int from, int n) {
    float[] sorted = Arrays.copyOfRange(logits, from, from + n);
    Arrays.sort(sorted);
    return sorted[n - topK];
  }
}
