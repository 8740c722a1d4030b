package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.TextOps;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens with {@code trim_blocks} and {@code lstrip_blocks} on: the line end
 * after a tag goes, and so does white space before a tag that begins its line.
 */
final class Lexer {
  private static final String OPERATORS = "+-/*%~[](){}<>=.:|,;";

  private final Source source;
  private final String s;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  /** Whether what came before ended a line, so that white space before a tag may be stripped. */
  private boolean lineStarting = true;

  Lexer(Source source) {
    this.source = source;
    this.s = source.text();
  }

  List<Token> tokens() {
    while (at < s.length()) {
      int open = nextOpening();
      if (open < 0) {
        data(s.substring(at), at);
        break;
      }
      char kind = s.charAt(open + 1);
      int body = open + 2;
      char sign = body < s.length() ? s.charAt(body) : ' ';
      if (sign == '-' || sign == '+') {
        body++;
      }
      data(before(at, open, sign, kind == '{'), at);
      at = body;
      if (kind == '#') {
        comment(open);
      } else if (kind == '%' && rawBegins(body)) {
        raw(open);
      } else {
        tag(open, kind == '%');
      }
      lineStarting = at > 0 && s.charAt(at - 1) == '\n';
    }
    add(Token.Type.END, "", s.length());
    return tokens;
  }

  private int nextOpening() {
    for (int i = s.indexOf('{', at); i >= 0 && i + 1 < s.length(); i = s.indexOf('{', i + 1)) {
      char c = s.charAt(i + 1);
      if (c == '%' || c == '{' || c == '#') {
        return i;
      }
    }
    return -1;
  }

  /** The text before a tag, stripped as the tag's sign and kind demand. */
  private String before(int from, int to, char sign, boolean variable) {
    if (sign == '-') {
      int end = to;
      while (end > from && TextOps.isSpace(s.charAt(end - 1))) {
        end--;
      }
      return s.substring(from, end);
    }
    if (sign != '+' && !variable) {
      int start = to;
      while (start > from && s.charAt(start - 1) != '\n') {
        start--;
      }
      if (start > from || lineStarting) {
        int i = start;
        while (i < to && TextOps.isSpace(s.charAt(i))) {
          i++;
        }
        if (i == to) {
          return s.substring(from, start);
        }
      }
    }
    return s.substring(from, to);
  }

  private void data(String text, int position) {
    if (!text.isEmpty()) {
      add(Token.Type.DATA, text, position);
    }
  }

  private void add(Token.Type type, String text, int position) {
    tokens.add(new Token(type, text, position));
  }

  private void comment(int open) {
    if (at == s.length()) {
      return;
    }
    int end = s.indexOf("#}", at);
    if (end < 0) {
      throw source.syntax("Missing end of comment tag", open);
    }
    afterTag(end > at ? s.charAt(end - 1) : ' ', end + 2);
  }

  /** Moves behind a tag's end; {@code sign} is the character before it. */
  private void afterTag(char sign, int end) {
    at = end;
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && at < s.length() && s.charAt(at) == '\n') {
      at++;
    }
  }

  private void skipSpace() {
    while (at < s.length() && TextOps.isSpace(s.charAt(at))) {
      at++;
    }
  }

  /** Recognizes {@code {% raw %}} and moves behind it. */
  private boolean rawBegins(int body) {
    at = body;
    skipSpace();
    if (s.startsWith("raw", at)) {
      at += 3;
      skipSpace();
      if (s.startsWith("-%}", at)) {
        at += 3;
        skipSpace();
        return true;
      }
      if (s.startsWith("%}", at)) {
        at += 2;
        return true;
      }
    }
    at = body;
    return false;
  }

  private void raw(int open) {
    int start = at;
    lineStarting = s.charAt(at - 1) == '\n';
    for (int i = s.indexOf("{%", at); i >= 0; i = s.indexOf("{%", i + 1)) {
      at = i + 2;
      char sign = at < s.length() ? s.charAt(at) : ' ';
      if (sign == '-' || sign == '+') {
        at++;
      }
      skipSpace();
      if (!s.startsWith("endraw", at)) {
        continue;
      }
      at += 6;
      skipSpace();
      char endSign = at < s.length() ? s.charAt(at) : ' ';
      int end = endSign == '-' || endSign == '+' ? at + 1 : at;
      if (s.startsWith("%}", end)) {
        data(before(start, i, sign, false), start);
        afterTag(endSign, end + 2);
        return;
      }
    }
    throw source.syntax("Missing end of raw directive", open);
  }

  private void tag(int open, boolean block) {
    add(block ? Token.Type.BLOCK_BEGIN : Token.Type.VARIABLE_BEGIN, "", open);
    StringBuilder closers = new StringBuilder();
    while (true) {
      skipSpace();
      if (at >= s.length()) {
        return;
      }
      if (closers.isEmpty() && tagEnds(block)) {
        return;
      }
      char c = s.charAt(at);
      if (c >= '0' && c <= '9') {
        number();
      } else if (c == '\'' || c == '"') {
        StringLiteral literal = new StringLiteral(source, at);
        add(Token.Type.STRING, literal.value(), at);
        at = literal.end();
      } else if (c == '_' || Character.isUnicodeIdentifierStart(s.codePointAt(at))) {
        name();
      } else {
        operator(c, closers);
      }
    }
  }

  private boolean tagEnds(boolean block) {
    String close = block ? "%}" : "}}";
    char sign = s.charAt(at);
    boolean signed = sign == '-' || (block && sign == '+');
    int end = signed ? at + 1 : at;
    if (!s.startsWith(close, end)) {
      return false;
    }
    add(block ? Token.Type.BLOCK_END : Token.Type.VARIABLE_END, "", at);
    if (block) {
      afterTag(signed ? sign : ' ', end + 2);
    } else {
      at = end + 2;
      if (signed) {
        skipSpace();
      }
    }
    return true;
  }

  private void name() {
    int start = at;
    while (at < s.length() && Character.isUnicodeIdentifierPart(s.codePointAt(at))) {
      at += Character.charCount(s.codePointAt(at));
    }
    add(Token.Type.NAME, s.substring(start, at), start);
  }

  private void operator(char c, StringBuilder closers) {
    String two = s.substring(at, Math.min(at + 2, s.length()));
    switch (two) {
      case "//", "**", "==", "!=", "<=", ">=" -> {
        add(Token.Type.OPERATOR, two, at);
        at += 2;
        return;
      }
      default -> {}
    }
    if (OPERATORS.indexOf(c) < 0) {
      throw source.syntax(
          "unexpected character " + Printing.quote(Character.toString(s.codePointAt(at))), at);
    }
    int opens = "([{".indexOf(c);
    if (opens >= 0) {
      closers.append(")]}".charAt(opens));
    } else if (c == ')' || c == ']' || c == '}') {
      int last = closers.length() - 1;
      if (last < 0 || closers.charAt(last) != c) {
        String expected = last < 0 ? "" : ", expected '" + closers.charAt(last) + "'";
        throw source.syntax("unexpected '" + c + "'" + expected, at);
      }
      closers.setLength(last);
    }
    add(Token.Type.OPERATOR, String.valueOf(c), at);
    at++;
  }

  private void number() {
    int start = at;
    int fraction = fractionEnd(start);
    if (fraction > 0) {
      at = fraction;
      add(Token.Type.FLOAT, s.substring(start, at).replace("_", ""), start);
      return;
    }
    int radix = radix(start);
    at = radix == 10 ? digits(start, 10) : digits(start + 2, radix);
    if (radix == 10 && s.charAt(start) == '0') {
      at = start;
      while (at < s.length() && (s.charAt(at) == '0' || s.startsWith("_0", at))) {
        at++;
      }
    }
    add(Token.Type.INTEGER, s.substring(start, at).replace("_", ""), start);
  }

  private int radix(int start) {
    if (s.charAt(start) != '0' || start + 1 >= s.length()) {
      return 10;
    }
    int radix =
        switch (s.charAt(start + 1)) {
          case 'x', 'X' -> 16;
          case 'o', 'O' -> 8;
          case 'b', 'B' -> 2;
          default -> 10;
        };
    return radix != 10 && digits(start + 2, radix) > start + 2 ? radix : 10;
  }

  /** Behind the digits from {@code from}, with single underscores between them. */
  private int digits(int from, int radix) {
    int i = from;
    while (i < s.length()) {
      int digitAt = s.charAt(i) == '_' && (i > from || radix != 10) ? i + 1 : i;
      if (digitAt >= s.length()
          || s.charAt(digitAt) > 127
          || Character.digit(s.charAt(digitAt), radix) < 0) {
        break;
      }
      i = digitAt + 1;
    }
    return i;
  }

  /** Behind a float literal, or -1 when the number is an integer. */
  private int fractionEnd(int start) {
    if (start > 0 && s.charAt(start - 1) == '.') {
      return -1;
    }
    int whole = digits(start, 10);
    int end = whole;
    if (end < s.length() && s.charAt(end) == '.') {
      int fraction = digits(end + 1, 10);
      end = fraction > end + 1 ? fraction : end;
    }
    if (end < s.length() && (s.charAt(end) == 'e' || s.charAt(end) == 'E')) {
      int e = end + 1;
      if (e < s.length() && (s.charAt(e) == '+' || s.charAt(e) == '-')) {
        e++;
      }
      int exponent = digits(e, 10);
      end = exponent > e ? exponent : end;
    }
    return end == whole ? -1 : end;
  }
}
