package dev.ocellus.vlm.sampling;

import dev.ocellus.vlm.sampling.BeamOptions.EarlyStopping;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Beam search as {@code GenerationMixin._beam_search} of transformers 5.18 does it, in single
 * precision and with its ways to score whole answers and to stop: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/generation/utils.py">utils.py</a>.
 *
 * <p>Of equal scores the reference leaves the order open; here the first beam and the lowest id
 * come first.
 */
final class BeamSearch implements TokenSearch {
  /** What the reference takes as a score that no answer has. */
  private static final float NEVER_BEST = -1e9f;

  /** An answer as its last token and what stands before it; null for none. */
  private record Path(@Nullable Path before, int token, int length) {
    int[] tokens() {
      int[] tokens = new int[length];
      Path at = this;
      for (int i = length - 1; i >= 0 && at != null; i--) {
        tokens[i] = at.token;
        at = at.before;
      }
      return tokens;
    }
  }

  /** A way on: a beam, a token, and the sum of log probabilities up to it. */
  private record Candidate(int beam, int token, float score) {}

  /** A whole answer, or one that does not count yet. */
  private record Answer(@Nullable Path path, float score, boolean finished) {}

  private final BeamOptions options;
  private final SearchContext context;
  private final LogitChanges changes;
  private final int n;
  private @Nullable Path[] running;
  private float[] scores;
  private List<Answer> answers = new ArrayList<>();
  private int[] parents = {};
  private int steps;
  private boolean improvable = true;

  BeamSearch(BeamOptions options, SearchContext context) {
    this.options = options;
    this.context = context;
    this.changes = new LogitChanges(options, context);
    this.n = options.numBeams();
    running = new Path[n];
    scores = new float[n];
    for (int i = 0; i < n; i++) {
      scores[i] = i == 0 ? 0 : NEVER_BEST; // or all beams would begin with the same token
      answers.add(new Answer(null, NEVER_BEST, false));
    }
  }

  @Override
  public boolean next(IntFunction<float[]> logits) {
    List<Candidate> ways = ways(logits);
    List<Path> paths = new ArrayList<>();
    boolean[] ends = new boolean[ways.size()];
    boolean goesOn = false;
    for (int i = 0; i < ends.length; i++) {
      Candidate way = ways.get(i);
      paths.add(new Path(running[way.beam], way.token, steps + 1));
      ends[i] = context.isEnd(way.token) || steps + 1 >= context.maxTokens();
      goesOn |= !ends[i];
    }
    keepRunning(ways, paths, ends);
    keepAnswers(ways, paths, ends);
    steps++;
    improvable &= mayImprove();
    return improvable && !(allFinished() && stopsEarly()) && goesOn;
  }

  /** The best ways on of all beams: as many as leave one for each beam if all others end. */
  private List<Candidate> ways(IntFunction<float[]> logits) {
    int most = Math.max(2, 1 + context.ends().length) * n;
    Comparator<Candidate> byScore = Comparator.comparing(Candidate::score);
    Comparator<Candidate> worstFirst =
        byScore
            .thenComparing(Comparator.comparing(Candidate::beam).reversed())
            .thenComparing(Comparator.comparing(Candidate::token).reversed());
    var best = new PriorityQueue<>(worstFirst);
    for (int beam = 0; beam < n; beam++) {
      float[] log = logProbabilities(logits.apply(steps == 0 ? 0 : beam));
      changes.apply(log, tokens(running[beam]));
      for (int token = 0; token < log.length; token++) {
        float score = log[token] + scores[beam];
        if (best.size() < most || score > best.element().score) {
          best.add(new Candidate(beam, token, score));
          if (best.size() > most) {
            best.remove();
          }
        }
      }
    }
    List<Candidate> ways = new ArrayList<>(best);
    ways.sort(worstFirst.reversed());
    return ways;
  }

  private static int[] tokens(@Nullable Path path) {
    return path == null ? new int[0] : path.tokens();
  }

  private static float[] logProbabilities(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - (double) max);
    }
    double log = max + Math.log(sum);
    float[] result = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      result[i] = (float) (logits[i] - log);
    }
    return result;
  }

  private void keepRunning(List<Candidate> ways, List<Path> paths, boolean[] ends) {
    float[] after = new float[ends.length];
    for (int i = 0; i < ends.length; i++) {
      after[i] = ways.get(i).score + (ends[i] ? NEVER_BEST : 0);
    }
    int[] order = descending(after);
    parents = new int[n];
    @Nullable Path[] next = new Path[n];
    float[] nextScores = new float[n];
    for (int i = 0; i < n; i++) {
      parents[i] = ways.get(order[i]).beam;
      next[i] = paths.get(order[i]);
      nextScores[i] = after[order[i]];
    }
    running = next;
    scores = nextScores;
  }

  /** Only the best ways on can be whole answers; the others are there to go on with. */
  private void keepAnswers(List<Candidate> ways, List<Path> paths, boolean[] ends) {
    float length = (float) Math.pow(steps + 1, options.lengthPenalty());
    boolean full = allFinished() && stopsEarly();
    List<Answer> all = new ArrayList<>(answers);
    for (int i = 0; i < ends.length; i++) {
      boolean whole = ends[i] && i < n;
      float score = ways.get(i).score / length;
      score += full ? NEVER_BEST : 0;
      score += improvable ? 0 : NEVER_BEST;
      score += whole ? 0 : NEVER_BEST;
      all.add(new Answer(paths.get(i), score, whole));
    }
    float[] values = new float[all.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = all.get(i).score;
    }
    answers = IntStream.of(descending(values)).limit(n).mapToObj(all::get).toList();
  }

  private static int[] descending(float[] values) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted((a, b) -> Float.compare(values[b], values[a]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private boolean allFinished() {
    return answers.stream().allMatch(Answer::finished);
  }

  private boolean stopsEarly() {
    return options.earlyStopping() == EarlyStopping.YES;
  }

  /** Whether the best beam may still become better than the worst whole answer. */
  private boolean mayImprove() {
    boolean longest = options.earlyStopping() == EarlyStopping.NEVER && options.lengthPenalty() > 0;
    int length = longest ? context.maxTokens() : steps;
    float possible = scores[0] / (float) Math.pow(length, options.lengthPenalty());
    float worst = (float) answers.stream().mapToDouble(Answer::score).min().orElseThrow();
    return answers.stream().anyMatch(a -> possible > (a.finished ? worst : NEVER_BEST));
  }

  @Override
  public int[] parents() {
    return parents.clone();
  }

  @Override
  public int[] tokens() {
    int[] tokens = new int[n];
    for (int i = 0; i < n; i++) {
      Path path = running[i];
      tokens[i] = path == null ? 0 : path.token;
    }
    return tokens;
  }

  @Override
  public Found best() {
    Answer best = answers.getFirst();
    if (best.finished) {
      return new Found(tokens(best.path), best.score);
    }
    float length = (float) Math.pow(Math.max(1, steps), options.lengthPenalty());
    return new Found(tokens(running[0]), scores[0] / length); // cancelled on the way
  }
}
