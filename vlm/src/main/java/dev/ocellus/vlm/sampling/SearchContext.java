package dev.ocellus.vlm.sampling;

import java.util.Map;

/**
 * Where a search begins, and what ends it.
 *
 * @param history tokens in front of the answer, which count as repeated and as length; negative
 *     ones stand for what is no token, and count as length only
 * @param ends tokens that end an answer; none where it has to go on
 * @param maxTokens most tokens of the answer, at least 1
 * @param logitBias added to the scores of tokens; −∞ forbids
 */
public record SearchContext(
    int[] history, int[] ends, int maxTokens, Map<Integer, Float> logitBias) {
  public SearchContext {
    history = history.clone();
    ends = ends.clone();
    logitBias = Map.copyOf(logitBias);
    if (maxTokens < 1) {
      throw new IllegalArgumentException("maxTokens: expected at least 1, found " + maxTokens);
    }
  }

  boolean isEnd(int token) {
    for (int end : ends) {
      if (end == token) {
        return true;
      }
    }
    return false;
  }
}
