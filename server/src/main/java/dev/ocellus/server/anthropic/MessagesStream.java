package dev.ocellus.server.anthropic;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.api.EventStream;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.Event;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ToolCall;
import java.io.IOException;

/** An answer as Anthropic's events: blocks of one kind after the other. */
final class MessagesStream {
  private static final String NONE = "";

  private final Turn turn;
  private final EventStream out;
  private String open = NONE;
  private int index;

  MessagesStream(Turn turn, HttpReply.Sink sink) {
    this.turn = turn;
    this.out = new EventStream(sink);
  }

  void write() throws IOException {
    try {
      start();
      while (!turn.isFinished()) {
        switch (turn.next()) {
          case null -> event("ping", Json.object());
          case Event.Text(int choice, String text) -> delta("text", "text_delta", "text", text);
          case Event.Reasoning(int choice, String text) ->
              delta("thinking", "thinking_delta", "thinking", text);
          case Event.Call(int choice, ToolCall call) -> call(call);
          case Event.Done(int choice, Answer answer) -> end(answer);
          default -> {}
        }
      }
    } catch (ApiException e) {
      out.event("error", ErrorForm.ANTHROPIC.write(e));
    }
  }

  private void event(String type, ObjectNode data) throws IOException {
    ObjectNode typed = Json.object().put("type", type);
    typed.setAll(data);
    out.event(type, typed);
  }

  private void start() throws IOException {
    ObjectNode message = Messages.begin(turn);
    message.putArray("content");
    message.putNull("stop_reason").putNull("stop_sequence");
    message.set("usage", Messages.usage(turn.promptUsage()));
    ObjectNode start = Json.object();
    start.set("message", message);
    event("message_start", start);
  }

  private void delta(String block, String type, String key, String text) throws IOException {
    if (!open.equals(block)) {
      close();
      open(block, Json.object().put("type", block).put(key, ""));
    }
    send(Json.object().put("type", type).put(key, text));
  }

  private void open(String block, ObjectNode content) throws IOException {
    open = block;
    ObjectNode start = Json.object().put("index", index);
    start.set("content_block", content);
    event("content_block_start", start);
  }

  private void send(ObjectNode delta) throws IOException {
    ObjectNode event = Json.object().put("index", index);
    event.set("delta", delta);
    event("content_block_delta", event);
  }

  private void close() throws IOException {
    if (!open.equals(NONE)) {
      if (open.equals("thinking")) {
        send(Json.object().put("type", "signature_delta").put("signature", ""));
      }
      event("content_block_stop", Json.object().put("index", index));
      index++;
      open = NONE;
    }
  }

  private void call(ToolCall call) throws IOException {
    close();
    open("tool_use", Messages.toolUse(call));
    send(Json.object().put("type", "input_json_delta").put("partial_json", call.arguments()));
    close();
  }

  private void end(Answer answer) throws IOException {
    close();
    ObjectNode delta = Json.object();
    delta
        .putObject("delta")
        .put("stop_reason", Messages.stopReason(answer))
        .put("stop_sequence", Messages.stopSequence(answer));
    delta.set("usage", Messages.usage(answer.usage()));
    event("message_delta", delta);
    event("message_stop", Json.object());
  }
}
