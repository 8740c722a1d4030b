package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import java.util.Arrays;

/**
 * Proposes that text goes on as it did when the last few tokens came before, as it does where an
 * answer repeats the question, a list or code (prompt lookup decoding, Saxena 2023).
 */
public final class LookupDrafter implements Drafter {
  /** Tokens that have to agree: with one, most draft tokens are rejected. */
  private static final int MIN_MATCH = 2;

  private static final int MAX_MATCH = 4;
  private static final int[] NOTHING = {};

  @Override
  public int[] draft(int[] text, int length, int max, CancellationFlag flag) {
    for (int n = Math.min(MAX_MATCH, length - 1); n >= MIN_MATCH; n--) {
      for (int end = length - 1; end >= n; end--) { // the latest place is the likeliest
        if (Arrays.equals(text, end - n, end, text, length - n, length)) {
          int[] found = continuation(text, end, Math.min(length, end + max));
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
