package dev.ocellus.vlm.model.tiling;

import java.util.List;

/** Numbers in English words, as Python's num2words writes them. */
public final class NumberWords {
  private static final List<String> SMALL =
      List.of(
          ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
                  + " fifteen sixteen seventeen eighteen nineteen")
              .split(" "));

  private static final List<String> TENS =
      List.of("- - twenty thirty forty fifty sixty seventy eighty ninety".split(" "));

  private NumberWords() {}

  /**
   * @param n from 0 to 999
   */
  public static String of(int n) {
    if (n < 20) {
      return SMALL.get(n);
    }
    if (n < 100) {
      return TENS.get(n / 10) + (n % 10 == 0 ? "" : "-" + SMALL.get(n % 10));
    }
    return SMALL.get(n / 100) + " hundred" + (n % 100 == 0 ? "" : " and " + of(n % 100));
  }
}
