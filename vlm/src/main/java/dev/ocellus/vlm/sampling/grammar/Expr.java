package dev.ocellus.vlm.sampling.grammar;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** What a rule may match. */
sealed interface Expr {
  /** No upper bound of a repetition. */
  int UNLIMITED = Integer.MAX_VALUE;

  /** Nothing. */
  Expr EMPTY = new Sequence(List.of());

  /** One character. */
  record Chars(CharSet set) implements Expr {}

  /** One token, or any but that. */
  record Token(int id, boolean negated) implements Expr {}

  /** One token of several. */
  record Tokens(BitSet ids) implements Expr {
    public Tokens {
      ids = (BitSet) ids.clone();
    }
  }

  /** One after the other. */
  record Sequence(List<Expr> items) implements Expr {
    public Sequence {
      items = List.copyOf(items);
    }
  }

  /** One of several. */
  record Choice(List<Expr> options) implements Expr {
    public Choice {
      options = List.copyOf(options);
    }
  }

  /** Several times the same. */
  record Repeat(Expr body, int min, int max) implements Expr {}

  /**
   * Another rule.
   *
   * @param position where it is mentioned, in the grammar's text; −1 if there is none
   */
  record Reference(String rule, int position) implements Expr {}

  /** Exactly this text. */
  static Expr literal(String text) {
    List<Expr> chars = new ArrayList<>();
    text.codePoints().forEach(c -> chars.add(new Chars(CharSet.of(c, c))));
    return chars.size() == 1 ? chars.getFirst() : new Sequence(chars);
  }

  static Expr sequence(Expr... items) {
    return new Sequence(List.of(items));
  }

  static Expr choice(List<Expr> options) {
    return options.size() == 1 ? options.getFirst() : new Choice(options);
  }

  static Expr optional(Expr body) {
    return new Repeat(body, 0, 1);
  }

  static Expr ref(String rule) {
    return new Reference(rule, -1);
  }
}
