package dev.ocellus.vlm.template;

import java.util.ArrayList;
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

  /** What the template wrote behind the last input. */
  public String end() {
    StringBuilder end = new StringBuilder();
    for (Span span : spans) {
      if (span.origin() == Origin.TEMPLATE) {
        end.append(span.text());
      } else {
        end.setLength(0);
      }
    }
    return end.toString();
  }

  /** The same with input behind it. */
  public Rendered followedBy(String input) {
    Text more = Text.input(input);
    List<Text> all = new ArrayList<>();
    spans.forEach(span -> all.add(Text.of(span.text(), span.origin())));
    all.add(more);
    return of(Text.join(all));
  }

  static Rendered of(Text text) {
    return new Rendered(text.text(), text.spans());
  }
}
