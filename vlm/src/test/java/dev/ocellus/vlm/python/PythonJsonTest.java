package dev.ocellus.vlm.python;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.ContextJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers on every way into a prompt, compared with Python 3.11's {@code json} module. */
class PythonJsonTest {
  private record Number(String written, String python) {}

  /** What {@code json.dumps(json.loads(written))} gives. */
  private static List<Number> numbers() throws IOException {
    List<Number> numbers = new ArrayList<>();
    for (String line : resource("/dev/ocellus/vlm/python/numbers.tsv").split("\n")) {
      String[] columns = line.split("\t");
      numbers.add(new Number(columns[0], columns[1]));
    }
    return numbers;
  }

  private static String resource(String name) throws IOException {
    try (var in = PythonJsonTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  @Test
  void writesNumbersAsPythonDoes() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Number number : numbers()) {
      String found = PythonJson.write(PythonJson.read("[" + number.written + "]"));
      if (!found.equals("[" + number.python + "]")) {
        wrong.add(number + ", found " + found);
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(numbers()).hasSizeGreaterThan(250);
  }

  @Test
  void keepsNumbersInTemplateContexts() throws IOException {
    ChatTemplate template = ChatTemplate.compile("{{ v | tojson }}");
    for (Number number : numbers()) {
      Map<String, @Nullable Object> context =
          ContextJson.parse("{\"v\": [" + number.written + "]}");
      assertThat(template.render(context).text()).isEqualTo("[" + number.python + "]");
    }
  }

  @Test
  void keepsNumbersInToolDefinitions() throws IOException {
    ChatFormat format = new ChatFormat("{{ tools | tojson }}", "", "");
    for (Number number : numbers()) {
      String definition =
          "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"default\": %s}}}";
      List<Tool> tools = Tool.parseList("[" + definition.formatted(number.written) + "]");
      assertThat(prompt(format, List.of(Message.user("q")), tools))
          .isEqualTo("[" + definition.formatted(number.python) + "]");
    }
  }

  @Test
  void keepsTheFloatsOfAPublicReport() throws IOException {
    List<Tool> tools = Tool.parseList(resource("/dev/ocellus/vlm/tool/floats.json"));
    ChatFormat format = new ChatFormat("{{ tools | tojson }}", "", "");
    assertThat(prompt(format, List.of(Message.user("q")), tools))
        .isEqualTo(resource("/dev/ocellus/vlm/tool/floats-expected.txt"));
  }

  @Test
  void keepsNumbersInArgumentsOfCalls() throws IOException {
    ChatFormat format =
        new ChatFormat(
            "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}"
                + "{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}",
            "", "");
    for (Number number : numbers()) {
      String json =
          """
          [{"role": "user", "content": ""}, {"role": "assistant", "content": "",
           "tool_calls": [{"function": {"name": "f", "arguments": {"x": %s}}}]}]
          """
              .formatted(number.written);
      List<Message> messages =
          MessagesJson.parse(json, ImageLoader.inlineOnly(ImageLimits.DEFAULT));
      assertThat(prompt(format, messages, List.of())).isEqualTo("f{\"x\": " + number.python + "}");
      ToolCall call = messages.getLast().toolCalls().getFirst();
      assertThat(call.arguments()).isEqualTo("{\"x\":" + number.python + "}");
    }
  }

  private static String prompt(ChatFormat format, List<Message> messages, List<Tool> tools) {
    PromptOptions options = PromptOptions.defaults().withTools(tools);
    return format.render(messages, options, ChatFormat.Shown.PARTS, visual -> "").text();
  }

  @ParameterizedTest
  @CsvSource({
    "1.0, 1.0",
    "0.0, 0.0",
    "-0.0, -0.0",
    "-0e3, -0.0",
    "0e-3, 0.0",
    "-0, 0",
    "100.0, 100.0",
    "1e3, 1000.0",
    "3, 3",
    "12345678901234567890123, " + "12345678901234567890123",
  })
  void writesConstantsOfSchemasAsPythonDoes(String written, String python) {
    assertThat(JsonSchemaGrammar.of("{\"enum\": [" + written + "]}").matches(python)).isTrue();
    assertThat(JsonSchemaGrammar.of("{\"const\": [" + written + "]}").matches("[" + python + "]"))
        .isTrue();
  }

  @Test
  void takesAFloatWithoutFractionForAnInteger() {
    assertThat(JsonSchemaGrammar.of("{\"type\": \"integer\", \"enum\": [7.0]}").matches("7"))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "01",
        "1.",
        "+1",
        ".5",
        "1e",
        "0x1",
        "1_0",
        "nan",
        "--1",
        "INF",
        "+INF",
        "-INF",
        "+Infinity",
        "-NaN"
      })
  void refusesWhatPythonRefuses(String number) {
    assertThatThrownBy(() -> PythonJson.read("[" + number + "]"))
        .isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void refusesIntegersThatPythonFindsTooLong() {
    assertThatThrownBy(() -> PythonJson.read("[" + "9".repeat(4301) + "]"))
        .isInstanceOf(JsonProcessingException.class)
        .hasMessageContaining("4300");
  }
}
