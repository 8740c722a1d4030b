package dev.ocellus.vlm.template.syntax;

/** The template's text with its line ends made equal, and what offset lies on which line. */
final class Source {
  private final String text;

  Source(String template) {
    String s = template;
    if (s.indexOf('\r') >= 0) {
      s = s.replace("\r\n", "\n").replace('\r', '\n');
    }
    this.text = s.endsWith("\n") ? s.substring(0, s.length() - 1) : s;
  }

  String text() {
    return text;
  }

  int line(int position) {
    int line = 1;
    for (int i = 0; i < Math.min(position, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
      }
    }
    return line;
  }

  int column(int position) {
    return position - text.lastIndexOf('\n', position - 1);
  }

  SyntaxError syntax(String detail, int position) {
    return error(SyntaxError.SYNTAX, detail, position);
  }

  SyntaxError error(String kind, String detail, int position) {
    return new SyntaxError(kind, detail, line(position), column(position));
  }
}
