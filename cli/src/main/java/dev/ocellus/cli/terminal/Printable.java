package dev.ocellus.cli.terminal;

/** Names of files as lines of text: what would steer the terminal is spelled out. */
public final class Printable {
  private Printable() {}

  private static final int SHORT = 40;

  /** The beginning of a text, for messages about it. */
  public static String shortened(String text) {
    if (text.length() <= SHORT) {
      return text;
    }
    boolean halved = Character.isHighSurrogate(text.charAt(SHORT - 1));
    return text.substring(0, halved ? SHORT - 1 : SHORT) + "…";
  }

  public static String of(Object name) {
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
