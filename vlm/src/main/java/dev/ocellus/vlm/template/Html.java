package dev.ocellus.vlm.template;

/** Escaping for HTML, and Python's Markup, which chat templates meet through {@code safe}. */
final class Html {
  private Html() {}

  /** Escaped, and marked as such; markup is returned as it is. */
  static Text escape(Evaluation in, Object o) {
    Text t = Printing.softStr(in, o);
    if (t.isMarkup()) {
      return t;
    }
    String s = t.text();
    TextBuilder out = in.text();
    int from = 0;
    for (int i = 0; i < s.length(); i++) {
      String entity = entity(s.charAt(i));
      if (!entity.isEmpty()) {
        out.append(t, from, i).append(entity, t.originAt(i));
        from = i + 1;
      }
    }
    if (from == 0) {
      return t.asMarkup(true);
    }
    return in.built(out.append(t, from, s.length())).asMarkup(true);
  }

  private static String entity(char c) {
    return switch (c) {
      case '&' -> "&amp;";
      case '<' -> "&lt;";
      case '>' -> "&gt;";
      case '\'' -> "&#39;";
      case '"' -> "&#34;";
      default -> "";
    };
  }

  /** Escaped when it is to join markup, else as it is. */
  static Text escapeFor(Evaluation in, Text markup, Text t) {
    return markup.isMarkup() ? escape(in, t) : t;
  }

  /** Without tags and comments, white space made single, entities resolved. */
  static Text stripTags(Evaluation in, Text t) {
    Text rest = removeBetween(in, t, "<!--", "-->");
    rest = removeBetween(in, rest, "<", ">");
    TextBuilder out = in.text();
    for (Object word : TextOps.splitWords(in, rest, -1)) {
      if (out.length() > 0) {
        out.append(" ", ((Text) word).originAt(0));
      }
      out.append((Text) word);
    }
    return unescape(in, out.build());
  }

  private static Text removeBetween(Evaluation in, Text t, String open, String close) {
    String s = t.text();
    TextBuilder out = in.text();
    int at = 0;
    while (true) {
      int from = s.indexOf(open, at);
      int to = from < 0 ? -1 : s.indexOf(close, from);
      if (to < 0) {
        return in.built(out.append(t, at, s.length()));
      }
      out.append(t, at, from);
      at = to + close.length();
    }
  }

  private static Text unescape(Evaluation in, Text t) {
    String s = t.text();
    TextBuilder out = in.text();
    int at = 0;
    for (int amp = s.indexOf('&'); amp >= 0; amp = s.indexOf('&', at)) {
      int end = amp + 1;
      while (end < s.length() && end - amp < 10 && s.charAt(end) != ';') {
        end++;
      }
      boolean closed = end < s.length() && s.charAt(end) == ';';
      String c = closed ? character(s.substring(amp + 1, end)) : "";
      out.append(t, at, c.isEmpty() ? amp + 1 : amp);
      out.append(c, t.originAt(amp));
      at = c.isEmpty() ? amp + 1 : end + 1;
    }
    return out.append(t, at, s.length()).build();
  }

  private static String character(String entity) {
    return switch (entity) {
      case "amp" -> "&";
      case "lt" -> "<";
      case "gt" -> ">";
      case "quot" -> "\"";
      case "nbsp" -> "\u00a0";
      default -> {
        if (!entity.startsWith("#") || entity.length() < 2) {
          yield "";
        }
        boolean hex = entity.charAt(1) == 'x' || entity.charAt(1) == 'X';
        Object code = NumberParsing.parseInt(entity.substring(hex ? 2 : 1), hex ? 16 : 10);
        yield code instanceof Long c && Character.isValidCodePoint(c.intValue()) && c > 0
            ? Character.toString(c.intValue())
            : "";
      }
    };
  }
}
