package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.List;

/**
 * The regular part of ECMAScript's regular expressions, as expressions of JSON strings. Without
 * look-around, back references, word boundaries, and anchors inside.
 */
final class RegexPattern {
  private static final int MAX_DEPTH = 100;
  private static final int MAX_REPEAT = 100_000;
  private static final CharSet DIGIT = CharSet.of('0', '9');
  private static final CharSet WORD =
      DIGIT.union(CharSet.of('a', 'z')).union(CharSet.of('A', 'Z')).union(CharSet.ofChars("_"));
  private static final CharSet SPACE =
      CharSet.ofChars("\t\n\u000B\f\r \u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF")
          .union(CharSet.of(0x2000, 0x200A));
  private static final CharSet LINE_ENDS = CharSet.ofChars("\n\r\u2028\u2029");

  private final String source;
  private int at;
  private int depth;

  private RegexPattern(String source) {
    this.source = source;
  }

  /**
   * The strings in which the pattern is found, as characters: not yet as JSON writes them.
   *
   * @throws IllegalArgumentException if it is not valid or not regular
   */
  static GrammarExpr parse(String pattern) {
    var parser = new RegexPattern(pattern);
    List<GrammarExpr> options = new ArrayList<>();
    do {
      options.add(parser.anchored());
    } while (parser.take('|'));
    if (parser.at < pattern.length()) {
      throw parser.error("')' without '('");
    }
    return GrammarExpr.choice(options);
  }

  private IllegalArgumentException error(String message) {
    return new IllegalArgumentException(
        "pattern, column %d: %s".formatted(Math.min(at, source.length()) + 1, message));
  }

  private boolean take(char c) {
    if (at < source.length() && source.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private char peek() {
    return at < source.length() ? source.charAt(at) : 0;
  }

  private static final GrammarExpr ANYTHING =
      new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ANY), 0, GrammarExpr.UNLIMITED);

  /** A whole alternative; it may be found anywhere, unless anchors bind it. */
  private GrammarExpr anchored() {
    boolean start = take('^');
    GrammarExpr inner = sequence();
    boolean end = take('$');
    List<GrammarExpr> parts = new ArrayList<>();
    if (!start) {
      parts.add(ANYTHING);
    }
    parts.add(inner);
    if (!end) {
      parts.add(ANYTHING);
    }
    return new GrammarExpr.Sequence(parts);
  }

  private GrammarExpr sequence() {
    List<GrammarExpr> parts = new ArrayList<>();
    while (at < source.length() && peek() != '|' && peek() != ')' && peek() != '$') {
      parts.add(repeated(atom()));
    }
    return parts.size() == 1 ? parts.getFirst() : new GrammarExpr.Sequence(parts);
  }

  private GrammarExpr repeated(GrammarExpr atom) {
    int min;
    int max;
    if (take('*')) {
      min = 0;
      max = GrammarExpr.UNLIMITED;
    } else if (take('+')) {
      min = 1;
      max = GrammarExpr.UNLIMITED;
    } else if (take('?')) {
      min = 0;
      max = 1;
    } else if (take('{')) {
      min = number();
      max = !take(',') ? min : peek() == '}' ? GrammarExpr.UNLIMITED : number();
      if (!take('}') || max < min) {
        throw error("a repetition such as {2,5} was expected");
      }
    } else {
      return atom;
    }
    take('?'); // lazy or not, the same strings match
    if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') {
      throw error("a repetition has nothing to repeat");
    }
    return new GrammarExpr.Repeat(atom, min, max);
  }

  private int number() {
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == start
        || at - start > 6
        || Integer.parseInt(source.substring(start, at)) > MAX_REPEAT) {
      throw error("a number up to " + MAX_REPEAT + " was expected");
    }
    return Integer.parseInt(source.substring(start, at));
  }

  private static GrammarExpr one(CharSet set) {
    return new GrammarExpr.Chars(set);
  }

  private GrammarExpr atom() {
    int c = source.codePointAt(at);
    at += Character.charCount(c);
    return switch (c) {
      case '(' -> group();
      case '[' -> one(chars());
      case '.' -> one(LINE_ENDS.complement());
      case '\\' -> one(escape());
      case '^' -> throw error("an anchor inside a pattern is not supported");
      case '*', '+', '?', '{' -> throw error("a repetition has nothing to repeat");
      default -> one(CharSet.of(c, c));
    };
  }

  private GrammarExpr group() {
    if (++depth > MAX_DEPTH) {
      throw error("groups nest more than " + MAX_DEPTH + " deep");
    }
    if (take('?')) {
      boolean named =
          peek() == '<' && at + 1 < source.length() && Character.isLetter(source.charAt(at + 1));
      int close = source.indexOf('>', at);
      if (named && close > 0) {
        at = close + 1;
      } else if (!take(':')) {
        throw error("look-around and flags are not supported");
      }
    }
    List<GrammarExpr> options = new ArrayList<>();
    do {
      options.add(sequence());
      if (peek() == '$') {
        throw error("an anchor inside a pattern is not supported");
      }
    } while (take('|'));
    if (!take(')')) {
      throw error("a group is not closed");
    }
    depth--;
    return GrammarExpr.choice(options);
  }

  private CharSet chars() {
    boolean negated = take('^');
    CharSet set = CharSet.NONE;
    while (!take(']')) {
      if (at >= source.length()) {
        throw error("a character class is not closed");
      }
      CharSet first = classAtom();
      boolean range = peek() == '-' && at + 1 < source.length() && source.charAt(at + 1) != ']';
      if (range) {
        at++;
        CharSet last = classAtom();
        int from = single(first);
        int to = single(last);
        if (to < from) {
          throw error("a range that ends before it begins");
        }
        first = CharSet.of(from, to);
      }
      set = set.union(first);
    }
    set = negated ? set.complement() : set;
    if (set.isEmpty()) {
      throw error("a character class that matches no character");
    }
    return set;
  }

  private int single(CharSet set) {
    int c = set.first(0, CharSet.MAX);
    if (!set.equals(CharSet.of(c, c))) {
      throw error("a range needs one character at each end");
    }
    return c;
  }

  private CharSet classAtom() {
    int c = source.codePointAt(at);
    at += Character.charCount(c);
    if (c != '\\') {
      return CharSet.of(c, c);
    }
    if (take('b')) {
      return CharSet.of('\b', '\b');
    }
    return escape();
  }

  private CharSet escape() {
    if (at >= source.length()) {
      throw error("a backslash at the end");
    }
    char c = source.charAt(at++);
    return switch (c) {
      case 'd' -> DIGIT;
      case 'D' -> DIGIT.complement();
      case 'w' -> WORD;
      case 'W' -> WORD.complement();
      case 's' -> SPACE;
      case 'S' -> SPACE.complement();
      case 'n' -> CharSet.ofChars("\n");
      case 'r' -> CharSet.ofChars("\r");
      case 't' -> CharSet.ofChars("\t");
      case 'f' -> CharSet.ofChars("\f");
      case 'v' -> CharSet.of(0x0B, 0x0B);
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      default -> {
        if (Character.isLetterOrDigit(c)) {
          throw error("the escape \\" + c + " is not supported");
        }
        yield CharSet.of(c, c);
      }
    };
  }

  private CharSet hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw error("an escape that needs " + digits + " hexadecimal digits");
      }
      value = value * 16 + digit;
      at++;
    }
    CharSet set = CharSet.of(value, value);
    if (set.isEmpty()) {
      throw error("half of a surrogate pair");
    }
    return set;
  }
}
