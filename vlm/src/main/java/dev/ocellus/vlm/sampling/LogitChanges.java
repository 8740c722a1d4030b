package dev.ocellus.vlm.sampling;

import java.util.Arrays;

/**
 * What a search changes scores by, in the order of the reference: biases, repeated tokens, repeated
 * n-grams, ends that come too early, forced tokens. The reference is {@code
 * generation/logits_process.py} of transformers 5.18.
 */
final class LogitChanges {
  private final BeamOptions options;
  private final SearchContext context;

  LogitChanges(BeamOptions options, SearchContext context) {
    this.options = options;
    this.context = context;
  }

  /**
   * Changes scores in place.
   *
   * @param answer tokens of the answer so far
   */
  void apply(float[] scores, int[] answer) {
    int[] history = context.history();
    int[] all = Arrays.copyOf(history, history.length + answer.length);
    System.arraycopy(answer, 0, all, history.length, answer.length);
    context
        .logitBias()
        .forEach((token, bias) -> {
          if (token >= 0 && token < scores.length) {
            scores[token] += bias;
          }
        });
    if (options.repetitionPenalty() != 1) {
      penalize(scores, all);
    }
    if (options.noRepeatNgramSize() > 0) {
      forbidNgrams(scores, all, options.noRepeatNgramSize());
    }
    if (all.length < options.minLength() || answer.length < options.minNewTokens()) {
      for (int end : context.ends()) {
        forbid(scores, end);
      }
    }
    if (all.length == 1) {
      force(scores, options.forcedBosToken());
    }
    if (answer.length == context.maxTokens() - 1) {
      force(scores, options.forcedEosToken());
    }
  }

  /** Leaves one token, whose score is 0 then, if there is such a token. */
  private static void force(float[] scores, int token) {
    if (token >= 0 && token < scores.length) {
      Arrays.fill(scores, Float.NEGATIVE_INFINITY);
      scores[token] = 0;
    }
  }

  private void penalize(float[] scores, int[] tokens) {
    float penalty = options.repetitionPenalty();
    for (int token : Arrays.stream(tokens).distinct().toArray()) {
      if (token >= 0 && token < scores.length) {
        scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
      }
    }
  }

  /** What has followed the last n - 1 tokens before must not do so again. */
  private static void forbidNgrams(float[] scores, int[] tokens, int n) {
    int last = tokens.length - (n - 1);
    for (int from = 0; from + n <= tokens.length; from++) {
      if (last >= 0 && Arrays.equals(tokens, from, from + n - 1, tokens, last, tokens.length)) {
        forbid(scores, tokens[from + n - 1]);
      }
    }
  }

  private static void forbid(float[] scores, int token) {
    if (token >= 0 && token < scores.length) {
      scores[token] = Float.NEGATIVE_INFINITY;
    }
  }
}
