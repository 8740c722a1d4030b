package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a template that fails tells. */
class TemplateErrorsTest {
  private static TemplateException failure(String template) {
    return catchThrowableOfType(
        TemplateException.class, () -> ChatTemplate.compile(template).render(Map.of("x", "v")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "`a\nb {{ x + 1 }}`; 2; 8; TypeError",
        "`\n\n  {% if nope.y %}{% endif %}`; 3; 13; UndefinedError",
        "`{{ 1 / 0 }}`; 1; 6; ZeroDivisionError",
        "`line\r\n{{ x.pop() }}`; 2; 9; UndefinedError",
        "`{{ [1].append(2) }}`; 1; 14; SecurityError",
        "`{{ [1]|first }}\n{% for a in 5 %}{% endfor %}`; 2; 4; TypeError",
      })
  void namesLineAndColumn(String template, int line, int column, String kind) {
    TemplateException e = failure(template);
    assertThat(e.kind()).isEqualTo(kind);
    assertThat(e.line()).isEqualTo(line);
    assertThat(e.column()).isEqualTo(column);
    assertThat(e).hasMessageContaining("line " + line + ", column " + column);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ x",
        "{% if x %}",
        "{# x",
        "{{ 'x }}",
        "{{ x | nosuchfilter }}",
        "{{ x is nosuch }}",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% block b %}{% endblock %}",
        "{% nosuchtag %}",
        "{% endif %}",
        "{{ (x] }}",
        "{{ x ! y }}",
        "{% break %}",
        "{{ }}",
        "{% for loop in x %}{% endfor %}",
        "{% set 1 = 2 %}",
        "{% raw %}",
        "{{ '\\xZ' }}",
      })
  void refusesToCompileWhatIsNoTemplate(String template) {
    assertThatThrownBy(() -> ChatTemplate.compile(template))
        .isInstanceOf(TemplateSyntaxException.class)
        .hasMessageContaining("line 1, column ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "filesizeformat",
        "pprint",
        "striptags",
        "urlencode",
        "urlize",
        "wordwrap",
        "xmlattr"
      })
  void refusesFiltersForWebPagesByName(String filter) {
    assertThatThrownBy(() -> ChatTemplate.compile("{{ x | " + filter + " }}"))
        .isInstanceOf(TemplateSyntaxException.class)
        .hasMessageContaining("No filter named '" + filter + "'");
    assertThat(failure("{% if x %}{{ x | " + filter + " }}{% endif %}").detail())
        .contains("No filter named '" + filter + "'");
  }

  @Test
  void carriesTheMessageOfTheTemplate() {
    TemplateException e = failure("{{ raise_exception('no ' ~ x) }}");
    assertThat(e).isInstanceOf(TemplateRaisedException.class);
    assertThat(e.detail()).isEqualTo("no v");
  }

  @Test
  void refusesObjectsThatAreNoValues() {
    ChatTemplate template = ChatTemplate.compile("{{ x }}");
    assertThatThrownBy(() -> template.render(Map.of("x", new Object())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java.lang.Object");
  }

  @Test
  void isSharedByThreads() {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% set n = namespace(s='') %}{% for i in range(50) %}"
                + "{% set n.s = n.s ~ x %}{% endfor %}{{ n.s | length }}");
    ConcurrentLinkedQueue<String> results = new ConcurrentLinkedQueue<>();
    IntStream.range(0, 40)
        .parallel()
        .forEach(i -> results.add(template.render(Map.of("x", "y".repeat(i % 4 + 1))).text()));
    assertThat(List.copyOf(results)).hasSize(40).containsOnly("50", "100", "150", "200");
  }

  @Test
  void readsContextsFromJson() {
    Map<String, ?> context = ContextJson.parse("{\"b\": 1, \"a\": [1.0, null, true, 1e400, -2]}");
    assertThat(ChatTemplate.compile("{{ b }} {{ a }}").render(context).text())
        .isEqualTo("1 [1.0, None, True, inf, -2]");
    assertThatThrownBy(() -> ContextJson.parse("{\"a\":\n }"))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 2");
    assertThatThrownBy(() -> ContextJson.parse("[1]")).isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> ContextJson.parse("")).isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> ContextJson.parse("{} x")).isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> ContextJson.parse("{\"a\":" + "[".repeat(100_000)))
        .isInstanceOf(TemplateException.class);
  }
}
