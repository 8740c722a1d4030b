package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who wrote what in a prompt. */
class PromptSpansTest {
  /**
   * A character that no template has, that survives changes of case, and that JSON leaves alone.
   */
  private static final String MARK = "世";

  /** {@code [}input{@code ]} in brackets, images in braces, template text plain. */
  private static String render(String template) {
    Map<String, @Nullable Object> context = new LinkedHashMap<>();
    context.put("x", "In put");
    context.put("csv", "a,b");
    context.put("role", TracedText.trusted("user"));
    context.put("img", TracedText.image("IMG"));
    context.put("m", Map.of("key", "value"));
    context.put("l", List.of("p", TracedText.trusted("T"), 3));
    Rendered rendered = ChatTemplate.compile(template).render(context, Corpus.NOW);
    StringBuilder out = new StringBuilder();
    StringBuilder plain = new StringBuilder();
    for (Span span : rendered.spans()) {
      plain.append(span.text());
      switch (span.origin()) {
        case TEMPLATE -> out.append(span.text());
        case INPUT -> out.append('[').append(span.text()).append(']');
        case IMAGE -> out.append('{').append(span.text()).append('}');
      }
    }
    assertThat(plain).hasToString(rendered.text());
    return out.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "<{{ x }}>; <[In put]>",
        "{{ role }}:{{ img }}{{ x }}; user:{IMG}[In put]",
        "{{ 'a' ~ x ~ 'b' ~ img }}; a[In put]b{IMG}",
        "{{ ('<' + x + '>')[1:-1] }}; [In put]",
        "{{ ('<' + x + '>')[::-1] }}; >[tup nI]<",
        "{{ ('<' + x + '>')[0:3] }}; <[In]",
        "{{ (' ' + x + ' ') | trim }}; [In put]",
        "{{ ('ab' + x).strip('ab') }}; [In put]",
        "{{ 'a-b'.replace('-', x) }}; a[In put]b",
        "{{ x.replace(' ', '<>') }}; [In]<>[put]",
        "{{ x | replace('In', 'Out') }}; Out[ put]",
        "{{ ('<|' ~ x ~ '|>') | upper }}; <|[IN PUT]|>",
        "{{ ('<|' ~ x ~ '|>') | title }}; <|[in Put]|>",
        "{{ (x ~ '|a') | capitalize }}; [In put]|a",
        "{{ csv.split(',') | join('-') }}; [a]-[b]",
        "{{ ('q,' ~ csv).split(',')[0] }}; q",
        "{{ 'a {} b {!r}'.format(x, x) }}; a [In put] b '[In put]'",
        "{{ '%s|%5s|%r' % (x, 'z', csv) }}; [In put]|    z|'[a,b]'",
        "{{ '{:>8}'.format(x) }}; `  [In put]`",
        "{{ x | tojson }}; \"[In put]\"",
        "{{ m | tojson }}; {\"[key]\": \"[value]\"}",
        "{{ {'a': x, 'b': role} | tojson }}; {\"a\": \"[In put]\", \"b\": \"user\"}",
        "{{ m }}; {'[key]': '[value]'}",
        "{{ l }}; ['[p]', 'T', 3]",
        "{{ l | join(', ') }}; [p], T, 3",
        "{{ (x ~ '.') * 2 }}; [In put].[In put].",
        "{{ x | indent(2, true) }}; `  [In put]`",
        "{{ x | e }}; [In put]",
        "{{ ('<' ~ x) | e }}; `&lt;[In put]`",
        "{{ x | center(10, ) }}; `  [In put]  `",
        "{{ 'T'.ljust(4, x[0]) }}; T[III]",
        "{{ '%c' % 60 }}{{ '{:c}'.format(62) }}; [<>]",
        "{% set y %}<{{ x }}>{% endset %}{{ y }}; <[In put]>",
        "{% filter upper %}<{{ x }}>{% endfilter %}; <[IN PUT]>",
        "{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(x) }}; <[In put]>",
        "{% for c in x[:2] ~ '!' %}{{ c }}.{% endfor %}; [I].[n].!.",
        "{% for k, v in m.items() %}{{ k }}={{ v }}{% endfor %}; [key]=[value]",
        "{{ {'In put': '<|a|>'}[x] }}; <|a|>",
        "{{ strftime_now('%Y') }}; 2025",
        "{{ (x ~ ' long text') | truncate(9, true, '...', 0) }}; [In put]...",
        "{{ x.partition(' ') | join('+') }}; [In]+[ ]+[put]",
        "{{ (x ~ '\\n' ~ role).splitlines() | join('/') }}; [In put]/user",
      })
  void followsTextThroughTheLanguage(String template, String expected) {
    assertThat(render(template)).isEqualTo(expected);
  }

  @Test
  void comparesWithoutRegardToOrigin() {
    assertThat(render("{{ x == 'In put' }}{{ 'put' in x }}{{ x in ['In put'] }}{{ m.key }}"))
        .isEqualTo("TrueTrueTrue[value]");
  }

  @Test
  void neverTakesInputForTemplateTextInAnyTemplate() {
    int marked = 0;
    Map<String, ChatTemplate> compiled = new HashMap<>();
    for (Corpus.Case c : Corpus.selected().renderings()) {
      if (c.expected() == null) {
        continue;
      }
      Rendered rendered;
      try {
        Map<String, @Nullable Object> context = new LinkedHashMap<>();
        c.context().forEach((name, value) -> context.put(name, mark(name, value)));
        rendered =
            compiled
                .computeIfAbsent(c.template(), ChatTemplate::compile)
                .render(context, Corpus.NOW);
      } catch (TemplateException refused) {
        continue;
      }
      marked += rendered.text().contains(MARK) ? 1 : 0;
      for (Span span : rendered.spans()) {
        if (span.origin() != Origin.INPUT) {
          assertThat(span.text()).as(c.name()).doesNotContain(MARK);
        }
      }
      assertThat(String.join("", rendered.spans().stream().map(Span::text).toList()))
          .isEqualTo(rendered.text());
    }
    assertThat(marked).isGreaterThan(1000);
  }

  /** Marks all strings but those that templates compare with: roles and types. */
  private static @Nullable Object mark(String name, @Nullable Object value) {
    if (value instanceof String s) {
      boolean compared = name.equals("role") || name.equals("type") || name.endsWith("_token");
      return compared ? s : s + MARK;
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> out = new ArrayList<>();
      for (Object item : list) {
        out.add(mark(name, item));
      }
      return out;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> out = new LinkedHashMap<>();
      map.forEach((k, v) -> out.put((String) k, mark((String) k, v)));
      return out;
    }
    return value;
  }

  @Test
  void joinsTextsOfTheCaller() {
    TracedText text =
        TracedText.join(
            List.of(TracedText.trusted("a"), TracedText.input("b"), TracedText.input("c")));
    assertThat(text.spans())
        .containsExactly(new Span("a", Origin.TEMPLATE), new Span("bc", Origin.INPUT));
    assertThat(text).isEqualTo(TracedText.trusted("abc")).hasToString("abc");
  }
}
