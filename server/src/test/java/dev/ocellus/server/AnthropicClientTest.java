package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.NotFoundException;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.ImageBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.TextBlockParam;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolChoiceAny;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Anthropic's own Java client, unmodified. */
class AnthropicClientTest {
  private final AnthropicClient client =
      AnthropicOkHttpClient.builder()
          .baseUrl(TestServer.url(TestServer.shared()))
          .apiKey("none")
          .maxRetries(0)
          .build();

  private static List<ContentBlockParam> content() {
    var image =
        ImageBlockParam.builder()
            .source(
                Base64ImageSource.builder()
                    .mediaType(Base64ImageSource.MediaType.IMAGE_PNG)
                    .data(TestServer.circleBase64())
                    .build())
            .build();
    return List.of(
        ContentBlockParam.ofImage(image),
        ContentBlockParam.ofText(TextBlockParam.builder().text("What is this?").build()));
  }

  private static MessageCreateParams.Builder question() {
    return MessageCreateParams.builder()
        .model(TestServer.CHAT)
        .maxTokens(100)
        .putAdditionalBodyProperty("temperature", JsonValue.from(0))
        .addUserMessageOfContentBlockParams(content());
  }

  @Test
  void chatsAboutAnImage() {
    Message answer = client.messages().create(question().build());
    assertThat(answer.content().getFirst().asText().text())
        .isEqualTo("There is a large red circle in the center.");
    assertThat(answer.stopReason().orElseThrow().asString()).isEqualTo("end_turn");
    long prompt = answer.usage().inputTokens() + answer.usage().cacheReadInputTokens().orElse(0L);
    assertThat(prompt).isEqualTo(84);
    assertThat(answer.usage().outputTokens()).isEqualTo(10);
  }

  @Test
  void streams() {
    try (StreamResponse<RawMessageStreamEvent> stream =
        client.messages().createStreaming(question().build())) {
      List<RawMessageStreamEvent> events = stream.stream().toList();
      String text =
          events.stream()
              .flatMap(event -> event.contentBlockDelta().stream())
              .flatMap(delta -> delta.delta().text().stream())
              .map(delta -> delta.text())
              .collect(Collectors.joining());
      assertThat(text).isEqualTo("There is a large red circle in the center.");
      assertThat(events.getFirst().isMessageStart()).isTrue();
      assertThat(events.getLast().isMessageStop()).isTrue();
      assertThat(
              events.stream()
                  .flatMap(event -> event.messageDelta().stream())
                  .findFirst()
                  .orElseThrow()
                  .usage()
                  .outputTokens())
          .isEqualTo(10);
    }
  }

  @Test
  void callsTools() {
    var tool =
        Tool.builder()
            .name("paint")
            .inputSchema(
                Tool.InputSchema.builder()
                    .properties(
                        Tool.InputSchema.Properties.builder()
                            .putAdditionalProperty(
                                "colour", JsonValue.from(Map.of("enum", List.of("red", "green"))))
                            .build())
                    .required(List.of("colour"))
                    .build())
            .build();
    Message answer =
        client
            .messages()
            .create(
                MessageCreateParams.builder()
                    .model(TestServer.TOOLS)
                    .maxTokens(200)
                    .putAdditionalBodyProperty("temperature", JsonValue.from(0))
                    .addUserMessage("Paint a circle.")
                    .addTool(tool)
                    .toolChoice(ToolChoiceAny.builder().build())
                    .build());
    assertThat(answer.stopReason().orElseThrow().asString()).isEqualTo("tool_use");
    var use = answer.content().getLast().asToolUse();
    assertThat(use.name()).isEqualTo("paint");
    assertThat(use._input().toString()).containsAnyOf("red", "green");
  }

  @Test
  void countsTokens() {
    long n =
        client
            .messages()
            .countTokens(
                MessageCountTokensParams.builder()
                    .model(TestServer.CHAT)
                    .addUserMessageOfContentBlockParams(content())
                    .build())
            .inputTokens();
    assertThat(n).isEqualTo(84);
  }

  @Test
  void throwsWhatItsUsersExpect() {
    assertThatThrownBy(() -> client.messages().create(question().model("claude-none").build()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("claude-none");
  }
}
