package dev.ocellus.vlm.sampling;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Log probabilities (natural) under the model's own distribution, before any sampler.
 *
 * @param chosen the token that was asked about
 * @param top the likeliest tokens, the likeliest first
 */
public record TopLogProbs(Entry chosen, List<Entry> top) {
  /**
   * A token and its log probability.
   *
   * @param logProb at most 0; −∞ for a masked token
   */
  public record Entry(int token, float logProb) {}

  public TopLogProbs {
    top = List.copyOf(top);
  }

  /**
   * Computes them from the raw logits: those that the model gave, not those that a chain changed in
   * place.
   *
   * @param logits one for each token; left as they are
   * @param n how many of the likeliest tokens to list, at least 0; at most the vocabulary
   * @throws SamplingException if logits are NaN or +∞, or all are −∞
   */
  public static TopLogProbs of(float[] logits, int n, int chosen) {
    SamplingChecks.atLeast("n", n, 0);
    if (chosen < 0 || chosen >= logits.length) {
      throw new IllegalArgumentException(
          "chosen: expected a token from 0 to " + (logits.length - 1) + ", found " + chosen);
    }
    TopSelector selector = new TopSelector();
    float max = selector.scan(logits, logits.length);
    if (!Float.isFinite(max)) {
      throw SamplingException.unusable("log probabilities", logits, logits.length);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Exp.exp(logit - max);
    }
    double normalizer = max + Math.log(sum);
    int count = Math.min(n, logits.length);
    int[] tokens = {};
    if (count > 0) {
      long[] keys = selector.largest(logits, logits.length, count, true);
      tokens = Arrays.stream(keys, 0, count).mapToInt(TopSelector::index).toArray();
    }
    List<Entry> top =
        IntStream.of(tokens)
            .mapToObj(token -> new Entry(token, (float) (logits[token] - normalizer)))
            .toList();
    return new TopLogProbs(new Entry(chosen, (float) (logits[chosen] - normalizer)), top);
  }

  /** Like {@link #of(float[], int, int)}, for the logits between position and limit. */
  public static TopLogProbs of(FloatBuffer logits, int n, int chosen) {
    float[] copy = new float[logits.remaining()];
    logits.get(logits.position(), copy);
    return of(copy, n, chosen);
  }
}
