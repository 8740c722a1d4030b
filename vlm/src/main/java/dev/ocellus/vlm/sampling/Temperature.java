package dev.ocellus.vlm.sampling;

/** Flattens or sharpens the distribution. */
final class Temperature {
  /** Below this, dividing a logit could overflow, and the likeliest token is certain anyway. */
  private static final float CERTAIN_BELOW = 1e-30f;

  private Temperature() {}

  /** Divides all logits; a temperature of 0 or less masks all but the largest. */
  static void scale(Candidates candidates, float temperature) {
    if (temperature < CERTAIN_BELOW) {
      keepMax(candidates);
      return;
    }
    float[] logits = candidates.logits();
    for (int i = 0; i < candidates.size(); i++) {
      logits[i] /= temperature;
    }
    candidates.logitsChanged(true);
  }

  private static void keepMax(Candidates candidates) {
    int max = candidates.placeOfMax();
    float[] logits = candidates.logits();
    for (int i = 0; i < candidates.size(); i++) {
      if (i != max) {
        logits[i] = Float.NEGATIVE_INFINITY;
      }
    }
    candidates.logitsChanged(true);
  }

  /**
   * Chooses the temperature within {@code range} of {@code temperature} by how uncertain the model
   * is: the entropy relative to its greatest possible value, to the power of {@code exponent}
   * (Zhang et al., arXiv:2403.14541). Sorts.
   */
  static void dynamic(Candidates candidates, float temperature, float range, float exponent) {
    int size = candidates.size();
    if (size <= 1) {
      return;
    }
    float low = Math.max(0, temperature - range);
    float high = temperature + range;
    candidates.sort();
    candidates.softmax();
    float entropy = Truncation.entropy(candidates.probabilities(), size);
    float greatest = (float) -Math.log(1f / size);
    float relative = entropy / greatest;
    scale(candidates, low + (high - low) * (float) Math.pow(relative, exponent));
    candidates.softmax();
  }
}
