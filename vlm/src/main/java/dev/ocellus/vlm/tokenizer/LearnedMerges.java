package dev.ocellus.vlm.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The merges of a byte pair encoding that stores none, from the order of its tokens: each token
 * behind the letters is what the two parts were joined to that all merges before it leave.
 */
final class LearnedMerges {
  private static final int N_LETTERS = 512; // each byte inside a word, and at its end

  private LearnedMerges() {}

  /**
   * Merges in the order in which they were learned, each "left right".
   *
   * @param tokens letters first, then what merges gave, then special tokens
   * @param endOfWord what the last letter of a word carries
   * @param special tokens that no merge makes
   */
  static List<String> of(List<String> tokens, String endOfWord, Set<String> special) {
    Map<String, Integer> ids = new HashMap<>(tokens.size() * 2);
    for (int i = 0; i < tokens.size(); i++) {
      ids.putIfAbsent(tokens.get(i), i);
    }
    var known = new BytePairs();
    List<String> merges = new ArrayList<>();
    for (int id = N_LETTERS; id < tokens.size(); id++) {
      if (special.contains(tokens.get(id))) {
        continue;
      }
      int[] parts = known.merge(letters(tokens.get(id), endOfWord, ids));
      if (parts.length == 2) {
        merges.add(tokens.get(parts[0]) + " " + tokens.get(parts[1]));
        known.add(parts[0], parts[1], id);
      }
    }
    return merges;
  }

  /** Empty where a letter is no token. */
  private static int[] letters(String token, String endOfWord, Map<String, Integer> ids) {
    boolean ends = token.endsWith(endOfWord);
    String word = ends ? token.substring(0, token.length() - endOfWord.length()) : token;
    int[] letters = new int[word.length()];
    for (int i = 0; i < letters.length; i++) {
      String letter = word.substring(i, i + 1);
      Integer id = ids.get(ends && i + 1 == letters.length ? letter + endOfWord : letter);
      if (id == null || id >= N_LETTERS) {
        return new int[0];
      }
      letters[i] = id;
    }
    return letters;
  }
}
