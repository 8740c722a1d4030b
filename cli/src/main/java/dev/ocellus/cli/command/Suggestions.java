package dev.ocellus.cli.command;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What somebody may have meant who mistyped a word. */
final class Suggestions {
  private static final int MOST = 3;

  private Suggestions() {}

  /** The known words that are a few typing mistakes away, nearest first. */
  static List<String> of(String typed, Collection<String> known) {
    int allowed = Math.max(1, (typed.replaceFirst("^-+", "").length() + 1) / 3);
    Map<String, Integer> distances =
        known.stream().collect(Collectors.toMap(word -> word, word -> distance(typed, word)));
    return distances.entrySet().stream()
        .filter(e -> e.getValue() <= allowed)
        .sorted(
            Comparator.comparing(Map.Entry<String, Integer>::getValue)
                .thenComparing(Map.Entry::getKey))
        .limit(MOST)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Letters to insert, delete, replace, or swap with their neighbour. */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(d[i - 1][j - 1] + same, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
