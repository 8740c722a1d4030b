package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.List;

/** Expressions of JSON's own syntax. */
public final class JsonText {
  private static final CharSet ESCAPED =
      CharSet.of(0, 0x1F).union(CharSet.ofChars("\"\\")).union(CharSet.of(0x7F, 0x7F));

  /** Characters that stand for themselves in a string. */
  static final CharSet PLAIN = ESCAPED.complement();

  private static final GrammarExpr HEX =
      new GrammarExpr.Chars(
          CharSet.of('0', '9').union(CharSet.of('a', 'f')).union(CharSet.of('A', 'F')));

  /** Four hexadecimal digits that are no half of a surrogate pair. */
  private static final GrammarExpr HEX4 =
      new GrammarExpr.Choice(
          List.of(
              GrammarExpr.sequence(
                  new GrammarExpr.Chars(CharSet.ofChars("0123456789abcefABCEF")),
                  new GrammarExpr.Repeat(HEX, 3, 3)),
              GrammarExpr.sequence(
                  new GrammarExpr.Chars(CharSet.ofChars("dD")),
                  new GrammarExpr.Chars(CharSet.of('0', '7')),
                  new GrammarExpr.Repeat(HEX, 2, 2))));

  /** Any character in a string. */
  static final GrammarExpr CHAR =
      new GrammarExpr.Choice(
          List.of(
              new GrammarExpr.Chars(PLAIN),
              GrammarExpr.sequence(
                  GrammarExpr.literal("\\"),
                  new GrammarExpr.Choice(
                      List.of(
                          new GrammarExpr.Chars(CharSet.ofChars("\"\\/bfnrt")),
                          GrammarExpr.sequence(GrammarExpr.literal("u"), HEX4))))));

  /** White space between parts: nothing, a space, or a new line with an indentation. */
  public static final GrammarExpr SPACE =
      new GrammarExpr.Choice(
          List.of(
              GrammarExpr.EMPTY,
              GrammarExpr.literal(" "),
              GrammarExpr.sequence(
                  GrammarExpr.literal("\n"),
                  new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ofChars(" \t")), 0, 20))));

  private JsonText() {}

  /** A string of characters between quotes. */
  public static GrammarExpr string(GrammarExpr characters) {
    return GrammarExpr.sequence(GrammarExpr.literal("\""), characters, GrammarExpr.literal("\""));
  }

  /** Exactly this value. */
  static GrammarExpr literal(JsonNode value) {
    return GrammarExpr.literal(PythonJson.write(value));
  }

  /** Strings of characters, as they are written in JSON. */
  static GrammarExpr encoded(GrammarExpr strings) {
    return switch (strings) {
      case GrammarExpr.Chars(CharSet set) -> set.equals(CharSet.ANY) ? CHAR : encoded(set);
      case GrammarExpr.Sequence(List<GrammarExpr> items) ->
          new GrammarExpr.Sequence(items.stream().map(JsonText::encoded).toList());
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          new GrammarExpr.Choice(options.stream().map(JsonText::encoded).toList());
      case GrammarExpr.Repeat(GrammarExpr body, int min, int max) ->
          new GrammarExpr.Repeat(encoded(body), min, max);
      case GrammarExpr.Token token -> token;
      case GrammarExpr.Tokens tokens -> tokens;
      case GrammarExpr.Reference reference -> reference;
    };
  }

  /** One character of a set, as it is written in a string. */
  private static GrammarExpr encoded(CharSet set) {
    List<GrammarExpr> options = new ArrayList<>();
    CharSet plain = set.intersect(PLAIN);
    if (!plain.isEmpty()) {
      options.add(new GrammarExpr.Chars(plain));
    }
    CharSet escaped = set.intersect(ESCAPED);
    for (int c = escaped.first(0, 0x7F); c >= 0; c = escaped.first(c + 1, 0x7F)) {
      options.add(
          GrammarExpr.literal(
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
    return GrammarExpr.choice(options);
  }

  /** A list in brackets: so many items, from {@code min} to {@code max}. */
  static GrammarExpr array(GrammarExpr item, int min, int max) {
    GrammarExpr more = GrammarExpr.sequence(GrammarExpr.literal(","), SPACE, item);
    GrammarExpr content;
    if (max == 0) {
      content = GrammarExpr.EMPTY;
    } else {
      int rest = max == GrammarExpr.UNLIMITED ? max : max - 1;
      content =
          GrammarExpr.sequence(
              item, new GrammarExpr.Repeat(more, Math.max(0, min - 1), rest), SPACE);
      if (min == 0) {
        content = GrammarExpr.optional(content);
      }
    }
    return GrammarExpr.sequence(GrammarExpr.literal("["), SPACE, content, GrammarExpr.literal("]"));
  }
}
