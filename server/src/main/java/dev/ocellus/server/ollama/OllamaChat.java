package dev.ocellus.server.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.api.EventStream;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.LogProbsJson;
import dev.ocellus.server.chat.Pieces;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Event;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /api/chat} and {@code POST /api/generate}. */
public final class OllamaChat {
  private final ChatService service;

  /** What differs between a chat and a text that is gone on with. */
  private enum Kind {
    CHAT {
      @Override
      void add(ObjectNode reply, String key, String text) {
        message(reply).put(key.equals("text") ? "content" : "thinking", text);
      }
    },
    GENERATE {
      @Override
      void add(ObjectNode reply, String key, String text) {
        reply.put(key.equals("text") ? "response" : "thinking", text);
      }
    };

    abstract void add(ObjectNode reply, String key, String text);

    static ObjectNode message(ObjectNode reply) {
      return reply.has("message")
          ? (ObjectNode) reply.get("message")
          : reply.putObject("message").put("role", "assistant").put("content", "");
    }
  }

  public OllamaChat(ChatService service) {
    this.service = service;
  }

  /** Answers a chat. */
  public HttpReply chat(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    p.requireText("model");
    List<JsonNode> list = p.list("messages");
    return list.isEmpty()
        ? loadOrUnload(p, Kind.CHAT)
        : answer(call, p, Kind.CHAT, p.node().get("messages"), false);
  }

  /** Answers one question, or goes on with a text where that is {@code raw}. */
  public HttpReply generate(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    p.requireText("model");
    String prompt = p.text("prompt").orElse("");
    List<JsonNode> images = p.list("images");
    if (prompt.isEmpty() && images.isEmpty()) {
      return loadOrUnload(p, Kind.GENERATE);
    }
    if (p.text("suffix").filter(text -> !text.isEmpty()).isPresent()) {
      throw ApiException.unsupported("suffix", "suffix: texts are not filled in here");
    }
    ArrayNode messages = Json.array();
    p.text("system")
        .filter(text -> !text.isEmpty())
        .ifPresent(text -> messages.addObject().put("role", "system").put("content", text));
    ObjectNode message = messages.addObject().put("role", "user").put("content", prompt);
    if (!images.isEmpty()) {
      message.putArray("images").addAll(images);
    }
    return answer(call, p, Kind.GENERATE, messages, p.flag("raw"));
  }

  /** What a request without a question is for. */
  private HttpReply loadOrUnload(Params p, Kind kind) {
    HostedModel model = service.host().chatModel(p.text("model"));
    var keep = new KeepAlive(service.host(), model, p);
    if (keep.isOver()) {
      keep.end();
    } else {
      service.host().chat(model).close();
      keep.apply();
    }
    ObjectNode reply = begin(model.name());
    kind.add(reply, "text", "");
    return Json.ok(reply.put("done", true).put("done_reason", keep.isOver() ? "unload" : "load"));
  }

  private HttpReply answer(HttpCall call, Params p, Kind kind, JsonNode list, boolean raw)
      throws IOException {
    boolean stream = p.flag("stream", true);
    HostedModel model = service.host().chatModel(p.text("model"));
    var keep = new KeepAlive(service.host(), model, p);
    Turn turn = begin(call, model, p, list, raw);
    keep.apply();
    if (!stream) {
      try (turn) {
        Answer answer = turn.collect(1).getFirst();
        return Json.ok(whole(turn, kind, answer));
      } finally {
        keep.end();
      }
    }
    turn.awaitFirst();
    return HttpReply.streamed(
        "application/x-ndjson",
        sink -> {
          try (turn) {
            stream(turn, kind, new EventStream(sink));
          } finally {
            keep.end();
          }
        });
  }

  private Turn begin(HttpCall call, HostedModel model, Params p, JsonNode list, boolean raw)
      throws IOException {
    List<Message> messages = service.messages(list); // what makes no sense loads no model
    Lease<ChatEngine> lease = service.host().chat(model);
    try {
      ChatParams params = OllamaParams.read(service.params(lease), p);
      if (raw) {
        params.plain();
      }
      return service.begin(call, lease, messages, params.options(1));
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
  }

  private static ObjectNode begin(String model) {
    return Json.object().put("model", model).put("created_at", Instant.now().toString());
  }

  private static ObjectNode whole(Turn turn, Kind kind, Answer answer) {
    ObjectNode reply = begin(turn.lease().model().name());
    kind.add(reply, "text", answer.content());
    if (!answer.reasoning().isEmpty()) {
      kind.add(reply, "thinking", answer.reasoning());
    }
    for (ToolCall call : answer.toolCalls()) {
      addCall(reply, call);
    }
    addLogProbs(reply, turn, answer.parts().logProbs());
    return end(reply, turn, answer);
  }

  private static void addLogProbs(ObjectNode reply, Turn turn, List<TopLogProbs> tokens) {
    if (!tokens.isEmpty()) {
      reply.set("logprobs", LogProbsJson.list(tokens, Pieces.of(turn)));
    }
  }

  /** Only chats have tools. */
  private static void addCall(ObjectNode reply, ToolCall call) {
    ObjectNode made = Kind.message(reply).withArray("tool_calls").addObject().put("id", call.id());
    made.putObject("function")
        .put("name", call.name())
        .set("arguments", Json.read(call.arguments().getBytes(StandardCharsets.UTF_8)));
  }

  private static ObjectNode end(ObjectNode reply, Turn turn, Answer answer) {
    boolean cut =
        answer.stopReason() == StopReason.LENGTH || answer.stopReason() == StopReason.CONTEXT;
    return reply
        .put("done", true)
        .put("done_reason", cut ? "length" : "stop")
        .put("total_duration", nanos(turn.millis()))
        .put("load_duration", nanos(turn.lease().loadMillis()))
        .put("prompt_eval_count", answer.usage().promptTokens())
        .put("prompt_eval_duration", nanos(answer.timings().prefill().millis()))
        .put("eval_count", answer.usage().completionTokens())
        .put("eval_duration", nanos(answer.timings().decode().millis()));
  }

  private static long nanos(double millis) {
    return Math.round(millis * 1e6);
  }

  private static void stream(Turn turn, Kind kind, EventStream out) throws IOException {
    String model = turn.lease().model().name();
    List<TopLogProbs> unsent = new ArrayList<>(); // of the tokens that the next text comes from
    try {
      while (!turn.isFinished()) {
        ObjectNode line = begin(model);
        switch (turn.next()) {
          case Event.Text(int choice, String text) -> {
            kind.add(line, "text", text);
            send(out, turn, line, unsent);
          }
          case Event.Reasoning(int choice, String text) -> {
            kind.add(line, "thinking", text);
            if (kind == Kind.GENERATE) {
              line.put("response", "");
            }
            send(out, turn, line, unsent);
          }
          case Event.Call(int choice, ToolCall call) -> {
            addCall(line, call);
            send(out, turn, line, unsent);
          }
          case Event.LogProbs(int choice, TopLogProbs token) -> unsent.add(token);
          case Event.Done(int choice, Answer answer) -> {
            kind.add(line, "text", "");
            addLogProbs(line, turn, unsent);
            out.line(end(line, turn, answer));
          }
          case null, default -> {} // there is no such thing as a line that says nothing
        }
      }
    } catch (ApiException e) {
      out.line(ErrorForm.OLLAMA.write(e));
    }
  }

  private static void send(EventStream out, Turn turn, ObjectNode line, List<TopLogProbs> unsent)
      throws IOException {
    addLogProbs(line, turn, unsent);
    unsent.clear();
    out.line(line.put("done", false));
  }
}
