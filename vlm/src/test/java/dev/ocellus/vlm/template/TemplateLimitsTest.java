package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile templates end soon, with an exception that says why. */
class TemplateLimitsTest {
  private static final Map<String, Object> CONTEXT = Map.of("l", List.of(3, 1, 2));

  /** A tenth of the usual, to keep the tests short. */
  private static final TemplateLimits TIGHT =
      new TemplateLimits(500_000, TemplateLimits.DEFAULT.maxDepth(), 1 << 21, 16 << 20);

  private static void run(String template, TemplateLimits limits) {
    Assertions.assertTimeoutPreemptively(
        Duration.ofMinutes(5),
        () -> {
          ChatTemplate.compile(template, limits).render(CONTEXT);
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10**12 }}",
        "{{ 'x' * 10**30 }}",
        "{{ [1] * 10**9 }}",
        "{% set n = namespace(x='ab') %}{% for i in range(999) %}{% set n.x = n.x ~ n.x %}"
            + "{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(999) %}{% set n.x = n.x + n.x %}"
            + "{% endfor %}",
        "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}",
        "{% set n = namespace(x={}) %}{% for i in range(999) %}{% set n.x = {1: n.x} %}{% endfor %}",
        "{% set n = namespace(x=l) %}{% for i in range(999) %}{% set n.x = n.x | map('int') %}"
            + "{% endfor %}",
        "{% set n = namespace() %}{% set n.x = [n] %}{{ n }}",
        "{% set n = namespace(x=[],y=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
            + "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
        "{% set n = namespace(x=()) %}{% for i in range(99) %}{% set n.x = (n.x, n.x) %}"
            + "{% endfor %}{{ {n.x: 1} }}",
        "{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
            + "{% endfor %}{{ n.x | tojson }}",
        "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f(a=f()) %}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{% if n < 60 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}"
            + "{{ f(0) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 2 ** 100000000000 }}",
        "{{ 10**4000 * 10**4000 }}",
        "{{ 'a' | center(10**10) }}",
        "{{ 'a'.zfill(10**10) }}",
        "{{ 'a\n' | indent(10**10) }}",
        "{{ l | tojson(indent=10**10) }}",
        "{{ '%99999999999d' % 1 }}",
        "{{ '{:0999999999,}'.format(1) }}",
        "{{ ('a' * 10**6).replace('', 'b' * 10**6) }}",
        "{{ ('a' * 10**6) | join('b' * 10**6) }}",
        "{{ [1] | batch(10**9, 1) | list }}",
        "{{ [1] | slice(10**9) | list }}",
        "{{ ('\t' * 8000).expandtabs(10**9) }}",
        "{% set h = 'a' * 2000000 %}{% for i in range(9999) %}{% if 'aaaaaaaaaaaaaaaaaab' in h %}"
            + "{% endif %}{% endfor %}",
      })
  void refusesToRunAway(String template) {
    assertThatThrownBy(() -> run(template, TIGHT)).isInstanceOf(TemplateLimitException.class);
  }

  @Test
  void endsALoopWithinTheUsualLimits() {
    String loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    assertThatThrownBy(() -> run(loops, TemplateLimits.DEFAULT))
        .isInstanceOf(TemplateLimitException.class)
        .hasMessageContaining("steps");
  }

  static List<String> deep() {
    int n = 50_000;
    return List.of(
        "{{ " + "(".repeat(n) + "1" + ")".repeat(n) + " }}",
        "{{ " + "[".repeat(n) + "]".repeat(n) + " }}",
        "{{ " + "-".repeat(n) + "1 }}",
        "{{ " + "not ".repeat(n) + "1 }}",
        "{{ 1" + "+1".repeat(n) + " }}",
        "{{ 1" + "|string".repeat(n) + " }}",
        "{{ a" + ".a".repeat(n) + " }}",
        "{{ " + "1 if 0 else ".repeat(n) + "2 }}",
        "{% if 1 %}".repeat(n) + "{% endif %}".repeat(n),
        "{% set " + "(".repeat(n) + "a" + ",)".repeat(n) + " = 1 %}",
        "x".repeat(2_000_000));
  }

  @ParameterizedTest
  @MethodSource("deep")
  void refusesDeepNestingWhenCompiling(String template) {
    assertThatThrownBy(() -> ChatTemplate.compile(template))
        .isInstanceOf(TemplateLimitException.class);
  }

  @Test
  void survivesOnATinyStack() throws InterruptedException {
    Throwable[] thrown = new Throwable[1];
    Thread thread =
        new Thread(
            null,
            () -> run("{% macro f(n) %}{{ f(n + 1) | upper }}{% endmacro %}{{ f(0) }}", TIGHT),
            "tiny",
            160_000);
    thread.setUncaughtExceptionHandler((t, e) -> thrown[0] = e);
    thread.start();
    thread.join();
    assertThat(thrown[0]).isInstanceOf(TemplateLimitException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% set h = 'a' * 2000000 %}{% set n = 'a' * 1000000 ~ 'b' %}{{ n in h }}{{ h.rfind(n) }}",
        "{{ ('9' * 1000000) | int }}{{ ('9' * 1000000) | float }}",
        "{{ [] * 10**18 }}{{ '' * 10**18 }}",
      })
  void takesLinearTimeOnLongStrings(String template) {
    run(template, TemplateLimits.DEFAULT);
  }

  @Test
  void obeysLimitsOfTheCaller() {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% for i in range(n) %}x{% endfor %}", new TemplateLimits(100, 50, 20, 1000));
    assertThat(template.render(Map.of("n", 9)).text()).isEqualTo("xxxxxxxxx");
    assertThatThrownBy(() -> template.render(Map.of("n", 21)))
        .isInstanceOf(TemplateLimitException.class)
        .hasMessageContaining("line 1");
    assertThatThrownBy(() -> new TemplateLimits(0, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
