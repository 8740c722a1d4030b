package dev.ocellus.vlm.sampling;

import java.util.Arrays;
import java.util.function.IntFunction;

/** Always the likeliest token, after the changes that the options ask for. */
final class GreedySearch implements TokenSearch {
  private static final int[] FIRST = {0};

  private final SearchContext context;
  private final LogitChanges changes;
  private int[] answer = {};

  GreedySearch(BeamOptions options, SearchContext context) {
    this.context = context;
    this.changes = new LogitChanges(options, context);
  }

  @Override
  public boolean next(IntFunction<float[]> logits) {
    float[] scores = logits.apply(0).clone();
    changes.apply(scores, answer);
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    answer = Arrays.copyOf(answer, answer.length + 1);
    answer[answer.length - 1] = best;
    return answer.length < context.maxTokens() && !context.isEnd(best);
  }

  @Override
  public int[] parents() {
    return FIRST.clone();
  }

  @Override
  public int[] tokens() {
    return new int[] {answer[answer.length - 1]};
  }

  @Override
  public Found best() {
    return new Found(answer.clone(), 0);
  }
}
