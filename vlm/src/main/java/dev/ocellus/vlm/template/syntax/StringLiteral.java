package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Printing;

/** A quoted string in a template: finds its end and resolves Python's escapes. */
final class StringLiteral {
  private final Source source;
  private final String s;
  private final int start;
  private final StringBuilder value = new StringBuilder();
  private int at;

  StringLiteral(Source source, int start) {
    this.source = source;
    this.s = source.text();
    this.start = start;
    this.at = start + 1;
    char quote = s.charAt(start);
    while (true) {
      if (at >= s.length()) {
        throw source.syntax("a string that does not end", start);
      }
      char c = s.charAt(at++);
      if (c == quote) {
        return;
      }
      if (c != '\\') {
        value.append(c);
      } else if (at < s.length()) {
        escape();
      }
    }
  }

  String value() {
    return value.toString();
  }

  int end() {
    return at;
  }

  private void escape() {
    int c = s.codePointAt(at);
    at += Character.charCount(c);
    switch (c) {
      case '\n' -> {}
      case 'n' -> value.append('\n');
      case 'r' -> value.append('\r');
      case 't' -> value.append('\t');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'v' -> value.append('\u000b');
      case 'a' -> value.append('\u0007');
      case '\\', '\'', '"' -> value.append((char) c);
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      case 'N' -> named();
      case '0', '1', '2', '3', '4', '5', '6', '7' -> octal();
      default -> unknown(c);
    }
  }

  /** The reference spells characters beyond ASCII as escapes first, so the backslash meets that. */
  private void unknown(int c) {
    value.append('\\');
    if (c < 128) {
      value.append((char) c);
    } else if (c < 256) {
      value.append('x').append(Printing.hex(c, 2));
    } else {
      value.append(c < 0x10000 ? 'u' : 'U').append(Printing.hex(c, c < 0x10000 ? 4 : 8));
    }
  }

  private void hex(int digits) {
    long code = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < s.length() && s.charAt(at) < 128 ? Character.digit(s.charAt(at), 16) : -1;
      if (digit < 0) {
        throw source.syntax("truncated \\x, \\u or \\U escape in a string", start);
      }
      code = code * 16 + digit;
      at++;
    }
    if (code > Character.MAX_CODE_POINT) {
      throw source.syntax("illegal Unicode character in a string", start);
    }
    value.appendCodePoint((int) code);
  }

  private void octal() {
    int code = 0;
    at--;
    for (int i = 0; i < 3 && at < s.length() && s.charAt(at) >= '0' && s.charAt(at) <= '7'; i++) {
      code = code * 8 + s.charAt(at++) - '0';
    }
    value.append((char) code);
  }

  private void named() {
    int end = s.indexOf('}', at);
    if (at >= s.length() || s.charAt(at) != '{' || end < 0) {
      throw source.syntax("malformed \\N character escape in a string", start);
    }
    try {
      value.appendCodePoint(Character.codePointOf(s.substring(at + 1, end)));
    } catch (IllegalArgumentException e) {
      throw source.syntax("unknown Unicode character name in a string", start);
    }
    at = end + 1;
  }
}
