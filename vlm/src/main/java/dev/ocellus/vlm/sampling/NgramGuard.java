package dev.ocellus.vlm.sampling;

import java.util.HashSet;
import java.util.Set;

/**
 * Keeps a model from repeating itself for ever: an n-gram of the answer's last tokens does not come
 * a second time, but for tokens that have to, such as those of a table's cells. This is the
 * no-repeat n-gram processor of DeepSeek-OCR.
 *
 * <p>Source: {@code NoRepeatNGramLogitsProcessor} of <a
 * href="https://github.com/deepseek-ai/DeepSeek-OCR/blob/main/DeepSeek-OCR-master/DeepSeek-OCR-vllm/process/ngram_norepeat.py">DeepSeek-OCR</a>.
 *
 * @param size tokens of an n-gram, at least 2
 * @param window how many of the last tokens are looked at
 * @param allowed tokens that may end a repeated n-gram, as the vocabulary writes them
 */
public record NgramGuard(int size, int window, Set<String> allowed) {
  public NgramGuard {
    if (size < 2 || window < size) {
      throw new IllegalArgumentException(
          "n-gram guard: expected a size of at least 2 and a window of no less, found %d and %d"
              .formatted(size, window));
    }
    allowed = Set.copyOf(allowed);
  }

  /**
   * Takes the scores of tokens that would repeat an n-gram.
   *
   * @param logits changed in place: minus infinity for these tokens
   * @param answer tokens of the answer so far
   * @param count how many of them there are
   * @param allowedIds ids of {@link #allowed}
   */
  public void apply(float[] logits, int[] answer, int count, Set<Integer> allowedIds) {
    for (int token : banned(answer, count)) {
      if (token >= 0 && token < logits.length && !allowedIds.contains(token)) {
        logits[token] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  private Set<Integer> banned(int[] answer, int count) {
    Set<Integer> banned = new HashSet<>();
    if (count < size) {
      return banned;
    }
    int last = count - (size - 1); // the beginning of what a new token would end
    for (int from = Math.max(0, count - window); from <= count - size; from++) {
      boolean same = true;
      for (int i = 0; same && i < size - 1; i++) {
        same = answer[from + i] == answer[last + i];
      }
      if (same) {
        banned.add(answer[from + size - 1]);
      }
    }
    return banned;
  }
}
