package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarMatcher;
import java.util.SplittableRandom;

/** Texts that a grammar allows. */
final class RandomTexts {
  private static final int[] CHARACTERS =
      "{}[]\",:0123456789.-+eE \\nu/abcdefxyzABTZ@_éß中😀truefalsenull".codePoints().toArray();
  private static final int TRIES = 40;

  private RandomTexts() {}

  /** Follows the grammar by chance over likely characters, then ends soon. */
  static String of(Grammar grammar, SplittableRandom random, int length) {
    GrammarMatcher matcher = grammar.matcher();
    StringBuilder text = new StringBuilder();
    while (text.length() < length && !matcher.mustEnd()) {
      String next = null;
      for (int tries = 0; tries < TRIES && next == null; tries++) {
        String candidate = Character.toString(CHARACTERS[random.nextInt(CHARACTERS.length)]);
        if (matcher.allows(candidate)) {
          next = candidate;
        }
      }
      if (next == null || (matcher.isComplete() && random.nextInt(4) == 0)) {
        break;
      }
      matcher.accept(next);
      text.append(next);
    }
    return text + matcher.shortestEnd();
  }
}
