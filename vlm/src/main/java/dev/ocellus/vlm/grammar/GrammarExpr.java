package dev.ocellus.vlm.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;

/** What a rule of a grammar matches. */
public sealed interface GrammarExpr {
  /** No upper bound of a repetition. */
  int UNLIMITED = Integer.MAX_VALUE;

  /** Nothing. */
  GrammarExpr EMPTY = new Sequence(List.of());

  /** One character. */
  record Chars(CharSet set) implements GrammarExpr {}

  /** One token, or any but that. */
  record Token(int id, boolean negated) implements GrammarExpr {}

  /** One token of several. */
  record Tokens(BitSet ids) implements GrammarExpr {
    public Tokens {
      ids = (BitSet) ids.clone();
    }
  }

  /** One after the other. */
  record Sequence(List<GrammarExpr> items) implements GrammarExpr {
    public Sequence {
      items = List.copyOf(items);
    }
  }

  /** One of several. */
  record Choice(List<GrammarExpr> options) implements GrammarExpr {
    public Choice {
      options = List.copyOf(options);
    }
  }

  /** Several times the same. */
  record Repeat(GrammarExpr body, int min, int max) implements GrammarExpr {}

  /**
   * Another rule.
   *
   * @param position where it is mentioned, in the grammar's text; −1 if there is none
   */
  record Reference(String rule, int position) implements GrammarExpr {}

  /** Exactly this text. */
  static GrammarExpr literal(String text) {
    List<GrammarExpr> chars = new ArrayList<>();
    text.codePoints().forEach(c -> chars.add(new Chars(CharSet.of(c, c))));
    return chars.size() == 1 ? chars.getFirst() : new Sequence(chars);
  }

  /** One after the other. */
  static GrammarExpr sequence(GrammarExpr... items) {
    return new Sequence(List.of(items));
  }

  /** One of several. */
  static GrammarExpr choice(List<GrammarExpr> options) {
    return options.size() == 1 ? options.getFirst() : new Choice(options);
  }

  /** Once or not at all. */
  static GrammarExpr optional(GrammarExpr body) {
    return new Repeat(body, 0, 1);
  }

  /** Another rule, which no text mentions. */
  static GrammarExpr ref(String rule) {
    return new Reference(rule, -1);
  }

  /** The rules that an expression mentions, each as often as it does. */
  static List<Reference> references(GrammarExpr expr) {
    List<Reference> found = new ArrayList<>();
    Deque<GrammarExpr> todo = new ArrayDeque<>(List.of(expr));
    for (GrammarExpr next = todo.poll(); next != null; next = todo.poll()) {
      switch (next) {
        case Reference reference -> found.add(reference);
        case Sequence(List<GrammarExpr> items) -> todo.addAll(items);
        case Choice(List<GrammarExpr> options) -> todo.addAll(options);
        case Repeat repeat -> todo.add(repeat.body());
        case Chars chars -> {}
        case Token token -> {}
        case Tokens tokens -> {}
      }
    }
    return found;
  }
}
