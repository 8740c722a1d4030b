package dev.ocellus.vlm.sampling;

import java.util.function.IntFunction;

/**
 * Searches for the likeliest answer. The caller computes logits, and lets beams go on as this says:
 *
 * <pre>{@code
 * while (search.next(logits)) {
 *   // compute the logits of each of search.tokens() behind the beam of search.parents()
 * }
 * }</pre>
 */
public interface TokenSearch {
  /**
   * Chooses the next token of each beam.
   *
   * @param logits of what follows a beam, by its number; in the first call those of beam 0 stand
   *     for all
   * @return whether the search goes on, with {@link #parents} and {@link #tokens}
   */
  boolean next(IntFunction<float[]> logits);

  /** For each beam the one of the step before that it goes on from. */
  int[] parents();

  /** For each beam the token that it goes on with. */
  int[] tokens();

  /**
   * What was found.
   *
   * @param tokens of the answer, with the one that ended it
   * @param score its log probability, divided by its length with the penalty as exponent; of a
   *     greedy answer not computed, 0
   */
  record Found(int[] tokens, float score) {}

  /** The best answer; before the end of the search the best so far. */
  Found best();

  /**
   * A search.
   *
   * @param context where it begins, and what ends it
   */
  static TokenSearch of(BeamOptions options, SearchContext context) {
    return options.numBeams() == 1
        ? new GreedySearch(options, context)
        : new BeamSearch(options, context);
  }
}
