package dev.ocellus.vlm.dual;

/**
 * How a model was trained to compare: {@code logit = scale · cosine + bias}, and what makes a
 * probability of it.
 *
 * @param scale what cosines are multiplied with: the exponential of the checkpoint's {@code
 *     logit_scale}
 * @param bias what is added, 0 for models without one
 * @param rule from logits to probabilities
 */
public record Similarity(float scale, float bias, Rule rule) {
  /** From logits to probabilities. */
  public enum Rule {
    /** The labels compete: their probabilities sum to 1 (CLIP). */
    SOFTMAX,
    /** Each label is right or wrong by itself (SigLIP). */
    SIGMOID
  }

  /** The logit of a cosine. */
  public float logit(double cosine) {
    return (float) (scale * cosine + bias);
  }

  /** Probabilities of the logits of all labels of one image. */
  public float[] probabilities(float[] logits) {
    return rule == Rule.SIGMOID ? sigmoid(logits) : softmax(logits);
  }

  private static float[] sigmoid(float[] logits) {
    float[] out = new float[logits.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (1 / (1 + Math.exp(-logits[i])));
    }
    return out;
  }

  private static float[] softmax(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    float[] out = new float[logits.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (Math.exp(logits[i] - max) / sum);
    }
    return out;
  }
}
