package dev.ocellus.tests.fuzz;

import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.prompt.ChatFormat;
import java.util.List;
import java.util.SplittableRandom;

/** Compiles chat templates and renders conversations with them. */
final class TemplateTarget extends SourceTarget {
  private static final ToolCall CALL = new ToolCall("call00001", "weather", "{\"city\": \"Rome\"}");
  private static final List<List<Message>> CONVERSATIONS =
      List.of(
          List.of(Message.user("q")),
          List.of(
              Message.system("one"),
              Message.user("what?", RgbImage.filled(2, 2, new Rgb(1, 2, 3))),
              Message.assistant("a <|im_end|>"),
              Message.user("and?")),
          List.of(
              Message.user("q"),
              Message.assistant("", "hm", List.of(CALL)),
              Message.toolResult(CALL, "{}"),
              Message.assistant("sunny")));
  private static final List<String> WORDS =
      List.of(
          "{{ ",
          " }}",
          "{% ",
          " %}",
          "{%- if ",
          "{% endif %}",
          "{% for m in messages %}",
          "{% endfor %}",
          "{% set x = ",
          "{% macro f(a) %}",
          "{% endmacro %}",
          "f(1)",
          "namespace(a=1)",
          "loop.index0",
          "|tojson",
          "|join(',')",
          "|length",
          "|selectattr('role')",
          "|map('upper')",
          "|sort",
          "|batch(3)",
          "|slice(2)",
          "range(1000000000)",
          "'a' * 100000",
          "messages",
          "messages[0]['content']",
          "[1, 2][::-1]",
          "x.x.x",
          "not",
          "in",
          "is defined",
          "**",
          "//",
          "%",
          "~",
          "==",
          "raise_exception('a')",
          "strftime_now('%Y')",
          "{# ",
          " #}",
          "-%}",
          "\"",
          "'",
          "\\",
          "(",
          ")",
          "[",
          "]",
          ":",
          ",",
          "1e308",
          "-1",
          "none",
          "true",
          "self",
          "caller()",
          "break",
          "continue",
          "{% generation %}",
          "format",
          ".items()",
          ".split('a')");

  TemplateTarget() {
    super("template", ".jinja", FuzzTexts.TEMPLATES, WORDS);
  }

  @Override
  void run(String source, SplittableRandom random) {
    ChatFormat format = new ChatFormat(source, "<s>", "</s>");
    ChatFormat.Shown[] ways = ChatFormat.Shown.values();
    var rendered =
        format.render(
            EdgeValues.one(CONVERSATIONS, random),
            PromptOptions.defaults(),
            ways[random.nextInt(ways.length)],
            visual -> "<image>");
    StringBuilder spans = new StringBuilder();
    rendered.spans().forEach(span -> spans.append(span.text()));
    GeneratedTarget.require(
        spans.toString().equals(rendered.text()), "the parts of a prompt are another text");
  }
}
