package dev.ocellus.server.anthropic;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/messages} and {@code POST /v1/messages/count_tokens}. */
public final class Messages {
  private static final String STOPPED = "stop_sequence";

  private final ChatService service;

  public Messages(ChatService service) {
    this.service = service;
  }

  /** Answers a request. */
  public HttpReply handle(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    boolean stream = p.flag("stream");
    HostedModel model = service.host().chatModel(p.text("model"));
    var input = new MessagesInput(service, p);
    input.requireMaxTokens();
    List<Message> messages = input.messages(); // what makes no sense loads no model
    Lease<ChatEngine> lease = service.host().chat(model);
    Turn turn;
    try {
      ChatParams params = input.params(service.params(lease));
      turn = service.begin(call, lease, messages, params.options(1));
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
    if (!stream) {
      try (turn) {
        return Json.ok(whole(turn, turn.collect(1).getFirst()));
      }
    }
    turn.awaitFirst();
    return HttpReply.streamed(
        "text/event-stream",
        sink -> {
          try (turn) {
            new MessagesStream(turn, sink).write();
          }
        });
  }

  /** Counts the tokens of a conversation without answering it. */
  public HttpReply count(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    try (Lease<ChatEngine> lease = service.host().chat(service.host().chatModel(p.text("model")))) {
      var input = new MessagesInput(service, p);
      ChatParams params = input.params(service.params(lease));
      int n = lease.engine().model().countTokens(input.messages(), params.promptOptions());
      return Json.ok(Json.object().put("input_tokens", n));
    }
  }

  static ObjectNode begin(Turn turn) {
    return Json.object()
        .put("id", Ids.next("msg_"))
        .put("type", "message")
        .put("role", "assistant")
        .put("model", turn.lease().model().name());
  }

  private static ObjectNode whole(Turn turn, Answer answer) {
    ObjectNode reply = begin(turn);
    ArrayNode content = reply.putArray("content");
    if (!answer.reasoning().isEmpty()) {
      content
          .addObject()
          .put("type", "thinking")
          .put("thinking", answer.reasoning())
          .put("signature", "");
    }
    if (!answer.content().isEmpty() || answer.toolCalls().isEmpty()) {
      content.addObject().put("type", "text").put("text", answer.content());
    }
    for (ToolCall call : answer.toolCalls()) {
      ObjectNode use = toolUse(call);
      use.set("input", Json.read(call.arguments().getBytes(StandardCharsets.UTF_8)));
      content.add(use);
    }
    reply.put("stop_reason", stopReason(answer));
    reply.put("stop_sequence", stopSequence(answer));
    reply.set("usage", usage(answer.usage()));
    return reply;
  }

  static ObjectNode toolUse(ToolCall call) {
    ObjectNode use =
        Json.object().put("type", "tool_use").put("id", call.id()).put("name", call.name());
    use.putObject("input");
    return use;
  }

  static String stopReason(Answer answer) {
    if (!answer.toolCalls().isEmpty()) {
      return "tool_use";
    }
    return switch (answer.stopReason()) {
      case STOP_STRING -> STOPPED;
      case LENGTH -> "max_tokens";
      case CONTEXT -> "model_context_window_exceeded";
      case END, CANCELLED -> "end_turn";
    };
  }

  /** The one that ended the answer. */
  static @Nullable String stopSequence(Answer answer) {
    return stopReason(answer).equals(STOPPED) ? answer.parts().stopString() : null;
  }

  /** What was cached does not count as input there. */
  static ObjectNode usage(Usage usage) {
    return Json.object()
        .put("input_tokens", usage.promptTokens() - usage.cachedTokens())
        .put("cache_creation_input_tokens", 0)
        .put("cache_read_input_tokens", usage.cachedTokens())
        .put("output_tokens", usage.completionTokens());
  }
}
