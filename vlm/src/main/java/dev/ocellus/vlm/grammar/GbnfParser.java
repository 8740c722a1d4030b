package dev.ocellus.vlm.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/** Reads GBNF, the notation of llama.cpp (its {@code grammars/README.md} describes it). */
final class GbnfParser {
  private static final int MAX_SOURCE = 4 << 20;
  private static final int MAX_DEPTH = 200;
  private static final int MAX_REPEAT = 1_000_000;

  /** A rule, and where it stands. */
  record Rule(GrammarExpr body, int position) {}

  private final String source;
  private final Function<String, OptionalInt> tokens;
  private final Map<String, Rule> rules = new LinkedHashMap<>();
  private int at;
  private int depth;

  private GbnfParser(String source, Function<String, OptionalInt> tokens) {
    this.source = source;
    this.tokens = tokens;
  }

  /**
   * @param tokens from the text of a token, such as {@code <think>}, to its number
   */
  static Map<String, Rule> parse(String source, Function<String, OptionalInt> tokens) {
    if (source.length() > MAX_SOURCE) {
      throw new GrammarException(
          "expected at most %d characters, found %d".formatted(MAX_SOURCE, source.length()));
    }
    var parser = new GbnfParser(source, tokens);
    parser.space(true);
    while (parser.at < source.length()) {
      parser.rule();
    }
    if (parser.rules.isEmpty()) {
      throw new GrammarException(
          "expected rules such as root ::= \"yes\" | \"no\", found none", 1, 1);
    }
    return parser.rules;
  }

  /** An error at a place of a text. */
  static GrammarException error(String source, int position, String message) {
    int line = 1;
    int lineStart = 0;
    int end = Math.min(position, source.length());
    for (int i = 0; i < end; i++) {
      char c = source.charAt(i);
      if (c == '\n' || (c == '\r' && (i + 1 >= source.length() || source.charAt(i + 1) != '\n'))) {
        line++;
        lineStart = i + 1;
      }
    }
    return new GrammarException(message, line, source.codePointCount(lineStart, end) + 1);
  }

  private GrammarException error(int position, String message) {
    return error(source, position, message);
  }

  private GrammarException expected(String what) {
    return error(at, "expected " + what + ", found " + found());
  }

  private String found() {
    if (at >= source.length()) {
      return "the end";
    }
    int c = source.codePointAt(at);
    return c == '\n' || c == '\r'
        ? "the end of the line"
        : c == '_' ? "'_' (names have letters, digits and '-')" : "'" + Character.toString(c) + "'";
  }

  private char peek() {
    return peek(0);
  }

  private char peek(int ahead) {
    return at + ahead < source.length() ? source.charAt(at + ahead) : 0;
  }

  private boolean take(char c) {
    if (at < source.length() && source.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void space(boolean newlines) {
    while (at < source.length()) {
      char c = source.charAt(at);
      if (c == '#') {
        while (at < source.length() && peek() != '\n' && peek() != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        at++;
      } else {
        return;
      }
    }
  }

  private static boolean isWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  }

  private String name() {
    int start = at;
    while (isWord(peek())) {
      at++;
    }
    if (at == start) {
      throw expected("the name of a rule");
    }
    return source.substring(start, at);
  }

  private void rule() {
    int start = at;
    String name = name();
    space(false);
    if (!source.startsWith("::=", at)) {
      throw expected("::= after the name '" + name + "'");
    }
    at += 3;
    space(true);
    GrammarExpr body = choice(false);
    if (at < source.length() && peek() != '\n' && peek() != '\r') {
      throw expected("the end of the rule '" + name + "', or more of it");
    }
    if (rules.putIfAbsent(name, new Rule(body, start)) != null) {
      throw error(start, "the rule '" + name + "' is defined twice");
    }
    space(true);
  }

  private GrammarExpr choice(boolean nested) {
    List<GrammarExpr> options = new ArrayList<>();
    options.add(sequence(nested));
    while (take('|')) {
      space(true);
      options.add(sequence(nested));
    }
    return GrammarExpr.choice(options);
  }

  private GrammarExpr sequence(boolean nested) {
    List<GrammarExpr> items = new ArrayList<>();
    boolean repeatable = false;
    while (at < source.length()) {
      int start = at;
      char c = peek();
      if (c == '*' || c == '+' || c == '?' || c == '{') {
        if (!repeatable) {
          throw error(start, "'" + c + "' has nothing in front of it to repeat");
        }
        items.add(repetition(items.removeLast()));
      } else if (c == '"') {
        items.add(literal());
        repeatable = !items.getLast().equals(GrammarExpr.EMPTY);
      } else if (c == '(') {
        items.add(group());
        repeatable = true;
      } else if (c == '[') {
        items.add(chars());
        repeatable = true;
      } else if (c == '<' || c == '!') {
        items.add(token());
        repeatable = true;
      } else if (c == '.') {
        at++;
        items.add(new GrammarExpr.Chars(CharSet.ANY));
        repeatable = true;
      } else if (isWord(c)) {
        items.add(new GrammarExpr.Reference(name(), start));
        repeatable = true;
      } else {
        break;
      }
      space(nested);
    }
    return items.size() == 1 ? items.getFirst() : new GrammarExpr.Sequence(items);
  }

  private GrammarExpr group() {
    int start = at++;
    if (++depth > MAX_DEPTH) {
      throw error(start, "groups nest more than " + MAX_DEPTH + " deep");
    }
    space(true);
    GrammarExpr inner = choice(true);
    if (!take(')')) {
      throw expected("')' for the group");
    }
    depth--;
    return inner;
  }

  private GrammarExpr repetition(GrammarExpr body) {
    int start = at;
    int min = 0;
    int max = GrammarExpr.UNLIMITED;
    switch (source.charAt(at++)) {
      case '*' -> {}
      case '+' -> min = 1;
      case '?' -> max = 1;
      default -> {
        space(true);
        min = number();
        max = min;
        space(true);
        if (take(',')) {
          space(true);
          max = peek() == '}' ? GrammarExpr.UNLIMITED : number();
          space(true);
        }
        if (!take('}')) {
          throw expected("',' or '}'");
        }
        if (max < min) {
          throw error(start, "a repetition of at least %d and at most %d".formatted(min, max));
        }
      }
    }
    return new GrammarExpr.Repeat(body, min, max);
  }

  private int number() {
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == start) {
      throw expected("a number");
    }
    int value =
        at - start > 9 ? GrammarExpr.UNLIMITED : Integer.parseInt(source.substring(start, at));
    if (value > MAX_REPEAT) {
      throw error(start, "repetitions: expected at most " + MAX_REPEAT);
    }
    return value;
  }

  private GrammarExpr literal() {
    int start = at++;
    StringBuilder text = new StringBuilder();
    while (!take('"')) {
      text.appendCodePoint(character(start));
    }
    return GrammarExpr.literal(text.toString());
  }

  private GrammarExpr chars() {
    int start = at++;
    boolean negated = take('^');
    List<int[]> ranges = new ArrayList<>();
    while (!take(']')) {
      int from = at;
      int first = character(start);
      int last = first;
      if (peek() == '-' && peek(1) != ']' && at + 1 < source.length()) {
        at++;
        last = character(start);
        if (last < first) {
          throw error(from, "a range that ends before it begins matches nothing");
        }
      }
      ranges.add(new int[] {first, last});
    }
    CharSet set = CharSet.ofRanges(ranges);
    set = negated ? set.complement() : set;
    if (ranges.isEmpty() || set.isEmpty()) {
      throw error(start, "a character class that matches no character");
    }
    return new GrammarExpr.Chars(set);
  }

  private int character(int opened) {
    if (at >= source.length()) {
      throw error(opened, "this is not closed");
    }
    int c = source.codePointAt(at);
    if (c != '\\') {
      at += Character.charCount(c);
      return c;
    }
    char escape = peek(1);
    at += 2;
    return switch (escape) {
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'n' -> '\n';
      case '\\', '"', '[', ']', '-' -> escape;
      default ->
          throw error(
              at - 2, "an unknown escape; known are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\x \\u \\U");
    };
  }

  private int hex(int digits) {
    int value = 0;
    int start = at - 2;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0 || peek() > 'f') {
        throw error(start, "an escape that needs " + digits + " hexadecimal digits");
      }
      value = value * 16 + digit;
      at++;
    }
    if (value < 0 || value > CharSet.MAX) {
      throw error(start, "a character beyond U+10FFFF");
    }
    return value;
  }

  private GrammarExpr token() {
    int start = at;
    boolean negated = take('!');
    if (!take('<')) {
      throw expected("a token such as <think> or <[42]> after '!'");
    }
    if (take('[')) {
      int id = number();
      if (!take(']') || !take('>')) {
        throw expected("']>'");
      }
      return new GrammarExpr.Token(id, negated);
    }
    int end = source.indexOf('>', at);
    int newline = source.indexOf('\n', at);
    if (end < 0 || (newline >= 0 && newline < end)) {
      throw error(start, "a token without '>'");
    }
    String text = source.substring(at - 1, end + 1);
    at = end + 1;
    OptionalInt id = tokens.apply(text);
    if (id.isEmpty()) {
      throw error(start, "the vocabulary has no single token " + text);
    }
    return new GrammarExpr.Token(id.getAsInt(), negated);
  }
}
