package dev.ocellus.tests.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Changes texts of a language by its words, so that many of them still have a meaning. */
final class TextMutator {
  private static final Pattern WORD =
      Pattern.compile("\\w+|\\{[{%#]-?|-?[}%#]\\}|::=|\\\\.|\\s+|.", Pattern.DOTALL);
  private static final int MAX_LENGTH = 20_000;

  private TextMutator() {}

  /**
   * A changed copy.
   *
   * @param words what may stand in the language besides what does
   */
  static byte[] mutate(byte[] file, List<String> words, RandomGenerator random) {
    if (random.nextInt(4) == 0) {
      return ByteMutator.mutate(file, random);
    }
    List<String> parts =
        new java.util.ArrayList<>(
            WORD.matcher(new String(file, StandardCharsets.UTF_8))
                .results()
                .map(MatchResult::group)
                .toList());
    for (int n = 1 + random.nextInt(5); n > 0 && !parts.isEmpty(); n--) {
      change(parts, words, random);
    }
    String text = String.join("", parts);
    return text.substring(0, Math.min(MAX_LENGTH, text.length())).getBytes(StandardCharsets.UTF_8);
  }

  private static void change(List<String> parts, List<String> words, RandomGenerator random) {
    int at = random.nextInt(parts.size());
    switch (random.nextInt(7)) {
      case 0 -> parts.remove(at);
      case 1 -> parts.add(at, EdgeValues.one(words, random));
      case 2 -> parts.set(at, EdgeValues.one(words, random));
      case 3 -> parts.set(at, EdgeValues.one(parts, random));
      case 4 -> parts.set(at, Long.toString(EdgeValues.integer(1, random)));
      case 5 -> { // a part of it again
        int end = Math.min(parts.size(), at + 1 + random.nextInt(20));
        parts.addAll(at, List.copyOf(parts.subList(at, end)));
      }
      default -> {
        int end = Math.min(parts.size(), at + 1 + random.nextInt(10));
        parts.subList(at, end).clear();
      }
    }
  }
}
