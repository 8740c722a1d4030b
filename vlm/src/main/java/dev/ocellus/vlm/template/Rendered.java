package dev.ocellus.vlm.template;

import java.util.List;

/**
 * A rendered prompt.
 *
 * @param text the whole prompt
 * @param spans the same text cut where the origin changes: neighbours differ in origin, none is
 *     empty, and their concatenation is {@code text}
 */
public record Rendered(String text, List<Span> spans) {
  public Rendered {
    spans = List.copyOf(spans);
  }

  static Rendered of(Text text) {
    return new Rendered(text.text(), text.spans());
  }
}
