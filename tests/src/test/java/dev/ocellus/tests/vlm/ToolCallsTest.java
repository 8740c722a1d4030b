package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Calls through the public door, with a tiny model that would never call anything by itself. */
class ToolCallsTest {
  private static final List<Tool> TOOLS =
      Tool.parseList(
          """
          [{"type": "function", "function": {"name": "zoom", "parameters": {"type": "object",
              "properties": {"factor": {"type": "integer", "minimum": 2, "maximum": 8}},
              "required": ["factor"], "additionalProperties": false}}}]
          """);
  private static final String TEMPLATE =
      "{# <tool_call> <think> #}{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}|{% endfor %}";

  private static VisionLanguageModel model;

  @BeforeAll
  static void load() throws IOException {
    LoadOptions golden = Golden.options();
    model = VisionLanguageModel.open(golden.withChatTemplate(TEMPLATE));
  }

  @AfterAll
  static void free() {
    model.close();
  }

  private static GenerationOptions options(List<Tool> tools, ToolChoice choice) {
    return GenerationOptions.greedy()
        .withSampling(SamplingOptions.builder().seed(1).build())
        .withMaxTokens(90)
        .withPrompt(PromptOptions.defaults().withTools(tools).withToolChoice(choice));
  }

  @Test
  void callsTheToolThatIsRequiredAndGoesOnWithItsResult() {
    try (ChatSession chat = model.newChat()) {
      List<ToolCall> heard = new ArrayList<>();
      AnswerListener listener =
          new AnswerListener() {
            @Override
            public void onText(String text) {}

            @Override
            public void onToolCall(ToolCall call) {
              heard.add(call);
            }
          };
      Answer answer =
          chat.send(
              Message.user("Look closer."), options(TOOLS, ToolChoice.named("zoom")), listener);
      assertThat(answer.toolCalls()).hasSize(1).isEqualTo(heard);
      assertThat(answer.toolCalls().getFirst().name()).isEqualTo("zoom");
      assertThat(answer.toolCalls().getFirst().arguments()).matches("\\{\"factor\":[2-8]}");
      Answer after =
          chat.send(
              Message.toolResult(heard.getFirst(), "done"),
              options(TOOLS, ToolChoice.NONE).withMaxTokens(5),
              AnswerListener.NONE);
      assertThat(after.toolCalls()).isEmpty();
      assertThat(after.prompt()).contains("<tool_call>", "zoom");
    }
  }

  @Test
  void refusesAChoiceThatCannotBeMet() {
    try (ChatSession chat = model.newChat()) {
      Message question = Message.user("?");
      assertThatThrownBy(
              () -> chat.send(question, options(TOOLS, ToolChoice.named("x")), AnswerListener.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a tool that is offered ([zoom]), found x");
      assertThatThrownBy(() ->
              chat.send(question, options(List.of(), ToolChoice.REQUIRED), AnswerListener.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no tool is offered");
    }
  }

  private static List<Tool> withSchemaBeyondTheSubset(boolean strict) {
    return Tool.parseList(
        "[{\"function\": {\"name\": \"odd\", \"strict\": %s, \"parameters\": {\"type\": \"object\", \"not\": {}}}}]"
            .formatted(strict));
  }

  @Test
  void aSchemaBeyondTheSubsetAllowsAnyArgumentsUnlessTheToolIsStrict() {
    try (ChatSession chat = model.newChat()) {
      Message question = Message.user("?");
      Answer answer =
          chat.send(
              question,
              options(withSchemaBeyondTheSubset(false), ToolChoice.REQUIRED),
              AnswerListener.NONE);
      assertThat(answer.toolCalls()).isNotEmpty().allMatch(call -> call.name().equals("odd"));
    }
    try (ChatSession chat = model.newChat()) {
      assertThatThrownBy(() ->
              chat.send(
                  Message.user("?"),
                  options(withSchemaBeyondTheSubset(true), ToolChoice.AUTO),
                  AnswerListener.NONE))
          .isInstanceOf(JsonSchemaException.class)
          .hasMessageContaining("the tool 'odd' is strict");
    }
  }
}
