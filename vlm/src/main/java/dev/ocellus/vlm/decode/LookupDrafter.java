package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import java.util.Arrays;

/**
 * Guesses that text goes on as it did when the last few tokens came before, as it does where an
 * answer repeats the question, a list or code (prompt lookup decoding, Saxena 2023).
 */
public final class LookupDrafter implements Drafter {
  /** Tokens that have to agree: with one, most guesses are wrong. */
  private static final int SHORTEST = 2;

  private static final int LONGEST = 4;
  private static final int[] NOTHING = {};

  @Override
  public int[] guess(int[] text, int length, int most, CancellationFlag flag) {
    for (int n = Math.min(LONGEST, length - 1); n >= SHORTEST; n--) {
      for (int end = length - 1; end >= n; end--) { // the latest place is the likeliest
        if (Arrays.equals(text, end - n, end, text, length - n, length)) {
          int[] found = continuation(text, end, Math.min(length, end + most));
          if (found.length > 0) {
            return found;
          }
        }
      }
    }
    return NOTHING;
  }

  private static int[] continuation(int[] text, int from, int to) {
    int end = from;
    while (end < to && text[end] >= 0) {
      end++;
    }
    return Arrays.copyOfRange(text, from, end);
  }
}
