package dev.ocellus.vlm.sampling.grammar;

import java.util.ArrayList;
import java.util.List;

/** Expressions of JSON's own syntax. */
final class JsonText {
  private static final CharSet ESCAPED =
      CharSet.of(0, 0x1F).union(CharSet.ofChars("\"\\")).union(CharSet.of(0x7F, 0x7F));

  /** Characters that stand for themselves in a string. */
  static final CharSet PLAIN = ESCAPED.complement();

  private static final Expr HEX =
      new Expr.Chars(CharSet.of('0', '9').union(CharSet.of('a', 'f')).union(CharSet.of('A', 'F')));

  /** Four hexadecimal digits that are no half of a surrogate pair. */
  private static final Expr HEX4 =
      new Expr.Choice(
          List.of(
              Expr.sequence(
                  new Expr.Chars(CharSet.ofChars("0123456789abcefABCEF")),
                  new Expr.Repeat(HEX, 3, 3)),
              Expr.sequence(
                  new Expr.Chars(CharSet.ofChars("dD")),
                  new Expr.Chars(CharSet.of('0', '7')),
                  new Expr.Repeat(HEX, 2, 2))));

  /** Any character in a string. */
  static final Expr CHAR =
      new Expr.Choice(
          List.of(
              new Expr.Chars(PLAIN),
              Expr.sequence(
                  Expr.literal("\\"),
                  new Expr.Choice(
                      List.of(
                          new Expr.Chars(CharSet.ofChars("\"\\/bfnrt")),
                          Expr.sequence(Expr.literal("u"), HEX4))))));

  /** White space between parts: nothing, a space, or a new line with an indentation. */
  static final Expr SPACE =
      new Expr.Choice(
          List.of(
              Expr.EMPTY,
              Expr.literal(" "),
              Expr.sequence(
                  Expr.literal("\n"),
                  new Expr.Repeat(new Expr.Chars(CharSet.ofChars(" \t")), 0, 20))));

  private JsonText() {}

  /** A string of characters between quotes. */
  static Expr string(Expr characters) {
    return Expr.sequence(Expr.literal("\""), characters, Expr.literal("\""));
  }

  /** Strings of characters, as they are written in JSON. */
  static Expr encoded(Expr strings) {
    return switch (strings) {
      case Expr.Chars(CharSet set) -> set.equals(CharSet.ANY) ? CHAR : encoded(set);
      case Expr.Sequence(List<Expr> items) ->
          new Expr.Sequence(items.stream().map(JsonText::encoded).toList());
      case Expr.Choice(List<Expr> options) ->
          new Expr.Choice(options.stream().map(JsonText::encoded).toList());
      case Expr.Repeat(Expr body, int min, int max) -> new Expr.Repeat(encoded(body), min, max);
      case Expr.Token token -> token;
      case Expr.Tokens tokens -> tokens;
      case Expr.Reference reference -> reference;
    };
  }

  /** One character of a set, as it is written in a string. */
  private static Expr encoded(CharSet set) {
    List<Expr> options = new ArrayList<>();
    CharSet plain = set.intersect(PLAIN);
    if (!plain.isEmpty()) {
      options.add(new Expr.Chars(plain));
    }
    CharSet escaped = set.intersect(ESCAPED);
    for (int c = escaped.first(0, 0x7F); c >= 0; c = escaped.first(c + 1, 0x7F)) {
      options.add(
          Expr.literal(
              switch (c) {
                case '"' -> "\\\"";
                case '\\' -> "\\\\";
                case '\n' -> "\\n";
                case '\r' -> "\\r";
                case '\t' -> "\\t";
                case '\b' -> "\\b";
                case '\f' -> "\\f";
                default -> "\\u%04x".formatted(c);
              }));
    }
    return Expr.choice(options);
  }

  /** A list in brackets: so many items, from {@code min} to {@code max}. */
  static Expr array(Expr item, int min, int max) {
    Expr more = Expr.sequence(Expr.literal(","), SPACE, item);
    Expr content;
    if (max == 0) {
      content = Expr.EMPTY;
    } else {
      int rest = max == Expr.UNLIMITED ? max : max - 1;
      content = Expr.sequence(item, new Expr.Repeat(more, Math.max(0, min - 1), rest), SPACE);
      if (min == 0) {
        content = Expr.optional(content);
      }
    }
    return Expr.sequence(Expr.literal("["), SPACE, content, Expr.literal("]"));
  }
}
