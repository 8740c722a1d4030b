package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.support.ToolCallbacks;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;

/** Tools as Spring AI 2 has them: the model asks for calls, and the client makes them. */
class ToolsTest {
  private static final VisionLanguageModel SCRIPTED = ScriptedModels.scripted(Answers::to);
  private static final String QUESTION = "How is the weather in Munich?";

  private final Weather weather = new Weather();
  private final OcellusChatModel model =
      OcellusChatModel.builder()
          .model(SCRIPTED)
          .options(OcellusChatOptions.builder().temperature(0.0).build())
          .build();

  @AfterAll
  static void close() {
    SCRIPTED.close();
  }

  /** A tool that knows what it was asked. */
  static final class Weather {
    final List<String> asked = new ArrayList<>();

    /** The weather of a city. */
    @Tool(description = "Tells the weather")
    public String weather(@ToolParam(description = "of which city") String city) {
      asked.add(city);
      return "sunny";
    }
  }

  @Test
  void theModelAsksForACall() {
    var response = model.call(withTools(QUESTION));
    AssistantMessage message = response.getResults().getFirst().getOutput();
    assertThat(response.hasToolCalls()).isTrue();
    assertThat(message.getToolCalls())
        .singleElement()
        .satisfies(call -> {
          assertThat(call.id()).isNotBlank();
          assertThat(call.type()).isEqualTo("function");
          assertThat(call.name()).isEqualTo("weather");
          assertThat(call.arguments()).isEqualTo("{\"city\":\"Munich\"}");
        });
    assertThat(response.hasFinishReasons(java.util.Set.of("tool_calls"))).isTrue();
    assertThat(weather.asked).isEmpty();
  }

  private Prompt withTools(String question) {
    ToolCallback[] tools = ToolCallbacks.from(weather);
    return new Prompt(question, OcellusChatOptions.builder().toolCallbacks(tools).build());
  }

  @Test
  void theClientMakesItAndTheModelAnswers() {
    String answer =
        ChatClient.create(model).prompt().user(QUESTION).tools(weather).call().content();
    assertThat(answer).contains("sunny");
    assertThat(weather.asked).containsExactly("Munich");
  }

  @Test
  void inStreamsToo() {
    List<String> pieces =
        ChatClient.create(model).prompt().user(QUESTION).tools(weather).stream()
            .content()
            .collectList()
            .block();
    assertThat(pieces).isNotNull();
    assertThat(String.join("", pieces)).contains("sunny");
    assertThat(weather.asked).containsExactly("Munich");
  }

  @Test
  void aTemplateThatShowsNoToolsIsRefusedBeforeAnythingIsComputed() throws IOException {
    LoadOptions bare = DemoModel.files().withChatTemplate("{{ messages[0].content }}");
    try (var demo = OcellusChatModel.builder().loadOptions(bare).build()) {
      assertThatThrownBy(() -> demo.call(withTools("How are you?")))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("template");
    }
  }

  @Test
  void toolsAndASchemaContradictEachOther() {
    Prompt prompt =
        new Prompt(
            QUESTION,
            OcellusChatOptions.builder()
                .toolCallbacks(ToolCallbacks.from(weather))
                .outputSchema("{\"type\":\"object\"}")
                .build());
    assertThatThrownBy(() -> model.call(prompt))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("native structured output");
  }
}
