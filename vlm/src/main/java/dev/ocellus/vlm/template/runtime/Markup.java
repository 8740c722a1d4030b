package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;

/** Escaping for HTML, and Python's Markup, which chat templates meet through {@code safe}. */
public final class Markup {
  private Markup() {}

  /** Escaped, and marked as such; markup is returned as it is. */
  public static TracedText escape(Evaluation in, Object o) {
    TracedText t = Printing.softStr(in, o);
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
  public static TracedText escapeFor(Evaluation in, TracedText markup, TracedText t) {
    return markup.isMarkup() ? escape(in, t) : t;
  }
}
