package dev.ocellus.cli.man;

/** Text in the language of manual pages, with the macros of man(7). */
final class Roff {
  private final StringBuilder text = new StringBuilder();

  /** A line that begins with a macro. */
  Roff macro(String line) {
    text.append('.').append(line).append('\n');
    return this;
  }

  Roff section(String title) {
    return macro("SH " + title);
  }

  /** Lines of text, which are filled. */
  Roff paragraph(String words) {
    words.strip().lines().forEach(line -> text.append(escaped(line)).append('\n'));
    return this;
  }

  /** An entry of a list: what it is about in bold, and its description. */
  Roff entry(String label, String description) {
    macro("TP");
    text.append("\\fB").append(escaped(label)).append("\\fR\n");
    return paragraph(description.isBlank() ? label : description);
  }

  /** Lines that stay as they are. */
  Roff verbatim(Iterable<String> lines) {
    macro("nf");
    lines.forEach(line -> text.append(escaped(line)).append('\n'));
    return macro("fi");
  }

  /**
   * Nothing of the text is taken for a request or an escape, hyphens can be searched and copied,
   * and letters outside of ASCII are named, so that no reader has to guess an encoding.
   */
  static String escaped(String line) {
    StringBuilder out = new StringBuilder();
    line.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\\' -> out.append("\\e");
            case '-' -> out.append("\\-");
            case '\'' -> out.append("\\(aq");
            case '`' -> out.append("\\(ga");
            case '^' -> out.append("\\(ha");
            case '~' -> out.append("\\(ti");
            default -> {
              if (c < 0x80) {
                out.appendCodePoint(c);
              } else {
                out.append("\\[u%04X]".formatted(c));
              }
            }
          }
        });
    boolean request = line.startsWith(".");
    return request ? "\\&" + out : out.toString();
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
