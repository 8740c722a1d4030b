package dev.ocellus.vlm.template;

import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

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
    TracedText more = TracedText.input(input);
    List<TracedText> all = new ArrayList<>();
    spans.forEach(span -> all.add(TracedText.of(span.text(), span.origin())));
    all.add(more);
    return of(TracedText.join(all));
  }

  /** The same where some texts are the template's, whoever has written them. */
  public Rendered trusting(Set<String> texts) {
    if (texts.isEmpty()) {
      return this;
    }
    Pattern pattern =
        Pattern.compile(texts.stream().map(Pattern::quote).collect(Collectors.joining("|")));
    List<TracedText> all = new ArrayList<>();
    for (Span span : spans) {
      int end = 0;
      if (span.origin() == Origin.INPUT) {
        Matcher m = pattern.matcher(span.text());
        while (m.find()) {
          all.add(TracedText.input(span.text().substring(end, m.start())));
          all.add(TracedText.trusted(m.group()));
          end = m.end();
        }
      }
      all.add(TracedText.of(span.text().substring(end), span.origin()));
    }
    return of(TracedText.join(all));
  }

  static Rendered of(TracedText text) {
    return new Rendered(text.text(), text.spans());
  }
}
