package dev.ocellus.tests.fuzz;

import dev.ocellus.vlm.grammar.Grammar;
import java.util.List;
import java.util.SplittableRandom;

/** Reads grammars, and writes texts that they allow. */
final class GrammarTarget extends SourceTarget {
  private static final List<String> WORDS =
      List.of(
          "::=",
          "|",
          "(",
          ")",
          "*",
          "+",
          "?",
          "{2,3}",
          "{0,}",
          "{1000000}",
          "[a-z]",
          "[^\\n]",
          "[]",
          ".",
          "\"a\"",
          "\"\"",
          "\"\\x41\"",
          "\"\\U0001F600\"",
          "root",
          "item",
          "\n",
          "# x\n",
          "\\",
          "<think>",
          "!<think>",
          "<[5]>",
          "[\\]]");

  GrammarTarget() {
    super("grammar", ".gbnf", FuzzTexts.GRAMMARS, WORDS);
  }

  @Override
  void run(String source, SplittableRandom random) {
    Grammar grammar = Grammar.parse(source);
    for (int i = 0; i < 3; i++) {
      String text;
      try {
        text = FuzzTexts.allowedBy(grammar, random, 30 * i);
      } catch (IllegalStateException e) {
        if (String.valueOf(e.getMessage()).contains("wants tokens")) {
          return; // which a text alone cannot give
        }
        throw e;
      }
      GeneratedTarget.require(grammar.matches(text), "its own text is not allowed: " + text);
    }
  }
}
