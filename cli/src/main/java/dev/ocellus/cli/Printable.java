package dev.ocellus.cli;

/** Names of files as lines of text: what would steer the terminal is spelled out. */
final class Printable {
  private Printable() {}

  static String of(Object name) {
    StringBuilder out = new StringBuilder();
    name.toString()
        .codePoints()
        .forEach(c -> {
          int type = Character.getType(c);
          if (type == Character.CONTROL
              || type == Character.FORMAT
              || type == Character.LINE_SEPARATOR
              || type == Character.PARAGRAPH_SEPARATOR
              || type == Character.SURROGATE) {
            out.append("\\u{%x}".formatted(c));
          } else {
            out.appendCodePoint(c);
          }
        });
    return out.toString();
  }
}
