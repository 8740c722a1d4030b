package dev.ocellus.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.SessionPool;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Answers requests of LangChain4j with a model. */
final class Chats implements AutoCloseable {
  private final VisionLanguageModel model;
  private final boolean owned;
  private final String modelName;
  private final Messages messages;
  private final SessionPool sessions;

  private Chats(
      VisionLanguageModel model, boolean owned, String modelName, ImageLoader imageLoader) {
    this.model = model;
    this.owned = owned;
    this.modelName = modelName;
    this.messages = new Messages(imageLoader);
    this.sessions = new SessionPool(model);
  }

  /** Loads the model, unless one was given. */
  static Chats of(ChatModelBuilder<?> builder) {
    VisionLanguageModel given = builder.model;
    LoadOptions toLoad = builder.loadOptions;
    if (given == null && toLoad == null) {
      throw new IllegalArgumentException("a model is needed: model(…) or loadOptions(…)");
    }
    try {
      VisionLanguageModel model =
          given != null ? given : VisionLanguageModel.open(Objects.requireNonNull(toLoad));
      String name = builder.modelName != null ? builder.modelName : name(model);
      return new Chats(model, given == null, name, builder.imageLoader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(VisionLanguageModel model) {
    return String.valueOf(model.options().model().getFileName()).replaceFirst("\\.gguf$", "");
  }

  String modelName() {
    return modelName;
  }

  /** A request that can be answered. */
  record Prepared(List<Message> messages, GenerationOptions options) {}

  /**
   * Decodes images and checks parameters.
   *
   * @throws LangChain4jException if it cannot be answered
   */
  Prepared prepare(ChatRequest request) {
    String asked = request.modelName();
    if (asked != null && !asked.equals(modelName)) {
      throw new UnsupportedFeatureException(
          "'modelName' is not supported per request: this is %s, and not %s"
              .formatted(modelName, asked));
    }
    return mapping(() ->
        new Prepared(
            messages.of(request.messages()),
            RequestOptions.of(request.parameters(), model.defaultOptions())));
  }

  /**
   * Answers.
   *
   * @param running told of the session as soon as it is known, so that it can be cancelled, and of
   *     null before somebody else has it
   * @throws LangChain4jException if the request cannot be answered
   */
  ChatResponse answer(
      Prepared request, AnswerListener listener, Consumer<@Nullable ChatSession> running) {
    return mapping(() ->
        sessions.use(
            request.messages(),
            session -> {
              running.accept(session);
              try {
                return response(session.complete(request.messages(), request.options(), listener));
              } finally {
                running.accept(null);
              }
            }));
  }

  private interface Work<T> {
    T run();
  }

  private static <T> T mapping(Work<T> work) {
    try {
      return work.run();
    } catch (LangChain4jException e) {
      throw e;
    } catch (OcellusException | IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  /** A call with an id, as results have to refer to one. */
  static ToolExecutionRequest request(ToolCall call) {
    String id = call.id().isEmpty() ? "call_" + UUID.randomUUID() : call.id();
    return ToolExecutionRequest.builder()
        .id(id)
        .name(call.name())
        .arguments(call.arguments())
        .build();
  }

  private ChatResponse response(Answer answer) {
    List<ToolExecutionRequest> calls = new ArrayList<>();
    answer.toolCalls().forEach(call -> calls.add(request(call)));
    AiMessage.Builder message = AiMessage.builder().toolExecutionRequests(calls);
    if (calls.isEmpty() || !answer.content().isBlank()) {
      message.text(answer.content());
    }
    if (!answer.reasoning().isEmpty()) {
      message.thinking(answer.reasoning());
    }
    return ChatResponse.builder()
        .aiMessage(message.build())
        .metadata(
            ChatResponseMetadata.builder()
                .id("ocellus-" + UUID.randomUUID())
                .modelName(modelName)
                .tokenUsage(usage(answer))
                .finishReason(calls.isEmpty() ? reason(answer) : FinishReason.TOOL_EXECUTION)
                .build())
        .build();
  }

  private static TokenUsage usage(Answer answer) {
    int in = answer.usage().promptTokens();
    int out = answer.usage().completionTokens();
    return new TokenUsage(in, out, in + out);
  }

  private static FinishReason reason(Answer answer) {
    return switch (answer.stopReason()) {
      case END, STOP_STRING -> FinishReason.STOP;
      case LENGTH, CONTEXT -> FinishReason.LENGTH;
      case CANCELLED -> FinishReason.OTHER;
    };
  }

  @Override
  public void close() {
    sessions.close();
    if (owned) {
      model.close();
    }
  }
}
