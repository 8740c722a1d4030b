package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaEmbeddingModel;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** LangChain4j's clients of OpenAI and of Ollama, unmodified. */
class LangChain4jTest {
  private static final String ANSWER = "There is a large red circle in the center.";

  private static final String URL = TestServer.url(TestServer.shared());

  private static ChatRequest question() {
    return ChatRequest.builder()
        .messages(
            UserMessage.from(
                ImageContent.from(TestServer.circleBase64(), "image/png"),
                TextContent.from("What is this?")))
        .build();
  }

  private static ChatRequest paint() {
    return ChatRequest.builder()
        .messages(UserMessage.from("Paint a circle."))
        .toolSpecifications(
            ToolSpecification.builder()
                .name("paint")
                .parameters(
                    JsonObjectSchema.builder()
                        .addEnumProperty("colour", List.of("red", "green"))
                        .required("colour")
                        .build())
                .build())
        .toolChoice(ToolChoice.REQUIRED)
        .maxOutputTokens(100)
        .build();
  }

  @Test
  void chatsThroughOpenAi() {
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(URL + "/v1")
            .apiKey("none")
            .modelName(TestServer.CHAT)
            .temperature(0.0)
            .build();
    ChatResponse answer = model.chat(question());
    assertThat(answer.aiMessage().text()).isEqualTo(ANSWER);
    assertThat(answer.metadata().tokenUsage().inputTokenCount()).isEqualTo(84);
  }

  @Test
  void streamsThroughOpenAi() throws Exception {
    StreamingChatModel model =
        OpenAiStreamingChatModel.builder()
            .baseUrl(URL + "/v1")
            .apiKey("none")
            .modelName(TestServer.CHAT)
            .temperature(0.0)
            .build();
    assertThat(streamed(model)).isEqualTo(ANSWER);
  }

  @Test
  void callsToolsThroughOpenAi() {
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(URL + "/v1")
            .apiKey("none")
            .modelName(TestServer.TOOLS)
            .temperature(0.0)
            .build();
    var call = model.chat(paint()).aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isEqualTo("paint");
    assertThat(call.arguments()).matches("\\{\"colour\": ?\"(red|green)\"}");
  }

  @Test
  void embedsThroughOpenAi() {
    var model =
        OpenAiEmbeddingModel.builder()
            .baseUrl(URL + "/v1")
            .apiKey("none")
            .modelName(TestServer.EMBEDDING)
            .build();
    assertThat(model.embed("a red circle").content().vector().length).isPositive();
  }

  @Test
  void chatsThroughOllama() {
    ChatModel model =
        OllamaChatModel.builder().baseUrl(URL).modelName(TestServer.CHAT).temperature(0.0).build();
    ChatResponse answer = model.chat(question());
    assertThat(answer.aiMessage().text()).isEqualTo(ANSWER);
    assertThat(answer.metadata().tokenUsage().outputTokenCount()).isEqualTo(10);
  }

  @Test
  void streamsThroughOllama() throws Exception {
    StreamingChatModel model =
        OllamaStreamingChatModel.builder()
            .baseUrl(URL)
            .modelName(TestServer.CHAT)
            .temperature(0.0)
            .build();
    assertThat(streamed(model)).isEqualTo(ANSWER);
  }

  @Test
  void embedsThroughOllama() {
    var model = OllamaEmbeddingModel.builder().baseUrl(URL).modelName(TestServer.EMBEDDING).build();
    assertThat(model.embed("a red circle").content().vector().length).isPositive();
  }

  private static String streamed(StreamingChatModel model) throws Exception {
    var whole = new CompletableFuture<String>();
    var pieces = new StringBuilder();
    model.chat(
        question(),
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String partial) {
            pieces.append(partial);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            whole.complete(response.aiMessage().text());
          }

          @Override
          public void onError(Throwable error) {
            whole.completeExceptionally(error);
          }
        });
    String text = whole.get(60, TimeUnit.SECONDS);
    assertThat(pieces.toString()).isEqualTo(text);
    return text;
  }
}
