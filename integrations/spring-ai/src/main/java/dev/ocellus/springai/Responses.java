package dev.ocellus.springai;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;

/** One answer, whole or in pieces, as responses of Spring AI, which all have the same id. */
final class Responses {
  /**
   * What the model thought: whole as metadata of the message, in pieces as those of the generation.
   */
  static final String THINKING = "thinking";

  private static final String STOP = "stop";
  private static final String LENGTH = "length";
  private static final String TOOL_CALLS = "tool_calls";
  private static final String CANCELLED = "cancelled";

  private final String id = "ocellus-" + UUID.randomUUID();
  private final String model;

  Responses(String model) {
    this.model = model;
  }

  /** The whole answer. */
  ChatResponse whole(Answer answer) {
    List<AssistantMessage.ToolCall> calls =
        answer.toolCalls().stream().map(Responses::call).toList();
    return last(answer, answer.content(), calls);
  }

  /** More of the text. */
  ChatResponse text(String piece) {
    return piece(message(piece, Map.of(), List.of()), ChatGenerationMetadata.NULL);
  }

  /** More of what the model thinks. */
  ChatResponse thinking(String piece) {
    return piece(
        message("", Map.of(), List.of()),
        ChatGenerationMetadata.builder().metadata(THINKING, piece).build());
  }

  /** A call, complete. */
  ChatResponse toolCall(ToolCall call) {
    return piece(message("", Map.of(), List.of(call(call))), ChatGenerationMetadata.NULL);
  }

  /** What is known at the end of an answer whose text and calls have been given in pieces. */
  ChatResponse end(Answer answer) {
    return last(answer, "", List.of());
  }

  private ChatResponse last(Answer answer, String content, List<AssistantMessage.ToolCall> calls) {
    Map<String, Object> properties =
        answer.reasoning().isEmpty() ? Map.of() : Map.of(THINKING, answer.reasoning());
    return new ChatResponse(
        List.of(
            new Generation(
                message(content, properties, calls),
                ChatGenerationMetadata.builder().finishReason(reason(answer)).build())),
        metadata().usage(usage(answer)).build());
  }

  private ChatResponse piece(AssistantMessage message, ChatGenerationMetadata generation) {
    return new ChatResponse(List.of(new Generation(message, generation)), metadata().build());
  }

  private ChatResponseMetadata.Builder metadata() {
    return ChatResponseMetadata.builder().id(id).model(model);
  }

  private static AssistantMessage message(
      String content, Map<String, Object> properties, List<AssistantMessage.ToolCall> calls) {
    return AssistantMessage.builder()
        .content(content)
        .properties(properties)
        .toolCalls(calls)
        .build();
  }

  /** A call with an id, as results have to refer to one. */
  private static AssistantMessage.ToolCall call(ToolCall call) {
    String id = call.id().isEmpty() ? "call_" + UUID.randomUUID() : call.id();
    return new AssistantMessage.ToolCall(id, "function", call.name(), call.arguments());
  }

  private static DefaultUsage usage(Answer answer) {
    var usage = answer.usage();
    return new DefaultUsage(
        usage.promptTokens(),
        usage.completionTokens(),
        usage.totalTokens(),
        usage,
        (long) usage.cachedTokens(),
        null);
  }

  private static String reason(Answer answer) {
    if (!answer.toolCalls().isEmpty()) {
      return TOOL_CALLS;
    }
    return switch (answer.stopReason()) {
      case END, STOP_STRING -> STOP;
      case LENGTH, CONTEXT -> LENGTH;
      case CANCELLED -> CANCELLED;
    };
  }
}
