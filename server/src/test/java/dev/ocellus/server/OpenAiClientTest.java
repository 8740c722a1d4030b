package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStreamEvent;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** OpenAI's own Java client, unmodified. */
class OpenAiClientTest {
  private static final String ANSWER = "There is a large red circle in the center.";

  private final OpenAIClient client =
      OpenAIOkHttpClient.builder()
          .baseUrl(TestServer.url(TestServer.shared()) + "/v1")
          .apiKey("none")
          .maxRetries(0)
          .build();

  private static ChatCompletionCreateParams.Builder question() {
    var image =
        ChatCompletionContentPart.ofImageUrl(
            ChatCompletionContentPartImage.builder()
                .imageUrl(
                    ChatCompletionContentPartImage.ImageUrl.builder()
                        .url(TestServer.circleUrl())
                        .build())
                .build());
    var text =
        ChatCompletionContentPart.ofText(
            ChatCompletionContentPartText.builder().text("What is this?").build());
    return ChatCompletionCreateParams.builder()
        .model(TestServer.CHAT)
        .temperature(0)
        .addUserMessageOfArrayOfContentParts(List.of(image, text));
  }

  @Test
  void chatsAboutAnImage() {
    ChatCompletion answer = client.chat().completions().create(question().build());
    assertThat(answer.choices().getFirst().message().content()).contains(ANSWER);
    assertThat(answer.choices().getFirst().finishReason().asString()).isEqualTo("stop");
    var usage = answer.usage().orElseThrow();
    assertThat(usage.promptTokens()).isEqualTo(84);
    assertThat(usage.completionTokens()).isEqualTo(10);
    assertThat(usage.totalTokens()).isEqualTo(94);
    assertThat(
            usage.promptTokensDetails().orElseThrow()._additionalProperties().get("image_tokens"))
        .isEqualTo(JsonValue.from(64));
  }

  @Test
  void computesAPromptOnce() {
    client.chat().completions().create(question().build());
    ChatCompletion again = client.chat().completions().create(question().build());
    var usage = again.usage().orElseThrow();
    assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens()).contains(83L);
  }

  @Test
  void streams() {
    var params =
        question()
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    try (StreamResponse<ChatCompletionChunk> stream =
        client.chat().completions().createStreaming(params)) {
      List<ChatCompletionChunk> chunks = stream.stream().toList();
      String text =
          chunks.stream()
              .flatMap(chunk -> chunk.choices().stream())
              .flatMap(choice -> choice.delta().content().stream())
              .collect(Collectors.joining());
      assertThat(text).isEqualTo(ANSWER);
      // pieces that come together are sent together
      assertThat(chunks.size()).isGreaterThanOrEqualTo(4);
      assertThat(chunks.getLast().usage().orElseThrow().completionTokens()).isEqualTo(10);
    }
  }

  @Test
  void looksAtSeveralImages() {
    var image =
        ChatCompletionContentPart.ofImageUrl(
            ChatCompletionContentPartImage.builder()
                .imageUrl(
                    ChatCompletionContentPartImage.ImageUrl.builder()
                        .url(TestServer.circleUrl())
                        .build())
                .build());
    ChatCompletion answer =
        client
            .chat()
            .completions()
            .create(
                ChatCompletionCreateParams.builder()
                    .model(TestServer.CHAT)
                    .temperature(0)
                    .addUserMessageOfArrayOfContentParts(List.of(image, image))
                    .build());
    assertThat(answer.usage().orElseThrow().promptTokens()).isGreaterThan(128);
  }

  @Test
  void callsTools() {
    var tool =
        ChatCompletionFunctionTool.builder()
            .function(
                FunctionDefinition.builder()
                    .name("paint")
                    .description("Paints a shape.")
                    .parameters(
                        FunctionParameters.builder()
                            .putAdditionalProperty("type", JsonValue.from("object"))
                            .putAdditionalProperty(
                                "properties",
                                JsonValue.from(
                                    Map.of("colour", Map.of("enum", List.of("red", "green")))))
                            .putAdditionalProperty("required", JsonValue.from(List.of("colour")))
                            .build())
                    .build())
            .build();
    ChatCompletion answer =
        client
            .chat()
            .completions()
            .create(
                ChatCompletionCreateParams.builder()
                    .model(TestServer.TOOLS)
                    .temperature(0)
                    .addUserMessage("Paint a red circle.")
                    .addTool(tool)
                    .toolChoice(
                        ChatCompletionToolChoiceOption.ofAuto(
                            ChatCompletionToolChoiceOption.Auto.REQUIRED))
                    .maxCompletionTokens(200)
                    .build());
    var choice = answer.choices().getFirst();
    assertThat(choice.finishReason().asString()).isEqualTo("tool_calls");
    var call = choice.message().toolCalls().orElseThrow().getFirst().asFunction();
    assertThat(call.function().name()).isEqualTo("paint");
    assertThat(call.function().arguments()).matches("\\{\"colour\": ?\"(red|green)\"}");
    assertThat(call.id()).isNotBlank();
  }

  @Test
  void keepsToASchema() {
    var schema =
        ResponseFormatJsonSchema.JsonSchema.builder()
            .name("shape")
            .schema(
                ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                    .putAdditionalProperty("type", JsonValue.from("object"))
                    .putAdditionalProperty(
                        "properties", JsonValue.from(Map.of("round", Map.of("type", "boolean"))))
                    .putAdditionalProperty("required", JsonValue.from(List.of("round")))
                    .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                    .build())
            .build();
    ChatCompletion answer =
        client
            .chat()
            .completions()
            .create(
                question()
                    .responseFormat(ResponseFormatJsonSchema.builder().jsonSchema(schema).build())
                    .build());
    assertThat(answer.choices().getFirst().message().content().orElseThrow())
        .matches("\\{\\s*\"round\"\\s*:\\s*(true|false)\\s*}");
  }

  @Test
  void answersSeveralTimesWithLogProbs() {
    ChatCompletion answer =
        client
            .chat()
            .completions()
            .create(question().n(3).temperature(1.0).seed(7).logprobs(true).topLogprobs(2).build());
    assertThat(answer.choices()).hasSize(3);
    var tokens = answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
    assertThat(tokens.getFirst().topLogprobs()).hasSize(2);
    assertThat(tokens.getFirst().logprob()).isLessThanOrEqualTo(0);
    ChatCompletion again =
        client.chat().completions().create(question().n(3).temperature(1.0).seed(7).build());
    assertThat(again.choices().stream().map(c -> c.message().content()).toList())
        .isEqualTo(answer.choices().stream().map(c -> c.message().content()).toList());
  }

  @Test
  void stopsAtAString() {
    ChatCompletion answer = client.chat().completions().create(question().stop("circle").build());
    assertThat(answer.choices().getFirst().message().content()).contains("There is a large red ");
  }

  @Test
  void goesOnWithAText() {
    var params =
        CompletionCreateParams.builder()
            .model(TestServer.CHAT)
            .prompt("There is a large red")
            .maxTokens(4)
            .temperature(0)
            .build();
    var answer = client.completions().create(params);
    assertThat(answer.choices().getFirst().text()).isNotEmpty();
    assertThat(answer.usage().orElseThrow().completionTokens()).isEqualTo(4);
    try (var stream = client.completions().createStreaming(params)) {
      String text =
          stream.stream()
              .flatMap(chunk -> chunk.choices().stream())
              .map(choice -> choice.text())
              .collect(Collectors.joining());
      assertThat(text).isEqualTo(answer.choices().getFirst().text());
    }
  }

  @Test
  void embedsTextsAndImages() {
    CreateEmbeddingResponse texts =
        client
            .embeddings()
            .create(
                EmbeddingCreateParams.builder()
                    .model(TestServer.EMBEDDING)
                    .inputOfArrayOfStrings(List.of("a red circle", "a blue square"))
                    .build());
    CreateEmbeddingResponse images =
        client
            .embeddings()
            .create(
                EmbeddingCreateParams.builder()
                    .model(TestServer.EMBEDDING)
                    .input(
                        JsonValue.from(
                            List.of(
                                Map.of(
                                    "type",
                                    "image_url",
                                    "image_url",
                                    Map.of("url", TestServer.circleUrl())))))
                    .build());
    List<Float> image = images.data().getFirst().embedding();
    assertThat(dot(image, image)).isBetween(0.999, 1.001);
    double circle = dot(image, texts.data().get(0).embedding());
    double square = dot(image, texts.data().get(1).embedding());
    assertThat(circle).isGreaterThan(square);
  }

  private static double dot(List<Float> a, List<Float> b) {
    double sum = 0;
    for (int i = 0; i < a.size(); i++) {
      sum += a.get(i) * b.get(i);
    }
    return sum;
  }

  @Test
  void givesResponses() {
    var params =
        ResponseCreateParams.builder()
            .model(TestServer.CHAT)
            .temperature(0)
            .input("What can you do?")
            .build();
    Response response = client.responses().create(params);
    String text =
        response.output().getFirst().asMessage().content().getFirst().asOutputText().text();
    assertThat(text).isNotEmpty();
    assertThat(response.usage().orElseThrow().outputTokens()).isPositive();
    try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params)) {
      List<ResponseStreamEvent> events = stream.stream().toList();
      String pieces =
          events.stream()
              .flatMap(event -> event.outputTextDelta().stream())
              .map(delta -> delta.delta())
              .collect(Collectors.joining());
      assertThat(pieces).isEqualTo(text);
      assertThat(events.getFirst().isCreated()).isTrue();
      assertThat(events.getLast().isCompleted()).isTrue();
    }
  }

  @Test
  void listsModels() {
    assertThat(client.models().list().data().stream().map(model -> model.id()))
        .contains(TestServer.CHAT, TestServer.EMBEDDING);
    assertThat(client.models().retrieve(TestServer.CHAT).id()).isEqualTo(TestServer.CHAT);
  }

  @Test
  void throwsWhatItsUsersExpect() {
    assertThatThrownBy(() ->
            client
                .chat()
                .completions()
                .create(
                    ChatCompletionCreateParams.builder()
                        .model("gpt-none")
                        .addUserMessage("hi")
                        .build()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("gpt-none");
    assertThatThrownBy(
            () -> client.chat().completions().create(question().temperature(-1.0).build()))
        .isInstanceOf(BadRequestException.class)
        .hasMessageContaining("temperature");
  }
}
