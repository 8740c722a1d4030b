package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.EventStream;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.Event;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ToolCall;
import java.io.IOException;

/** A response as events: items one after the other, each with what it holds. */
final class ResponseStream {
  private enum Open {
    NOTHING,
    REASONING,
    MESSAGE
  }

  private final Turn turn;
  private final ResponseForm form;
  private final EventStream out;
  private final ArrayNode output = Json.array();
  private final StringBuilder text = new StringBuilder();
  private Open open = Open.NOTHING;
  private String itemId = "";
  private int sequence;

  ResponseStream(Turn turn, ResponseForm form, HttpReply.Sink sink) {
    this.turn = turn;
    this.form = form;
    this.out = new EventStream(sink);
  }

  void write() throws IOException {
    try {
      send("response.created", "response", form.write(Json.array(), null));
      send("response.in_progress", "response", form.write(Json.array(), null));
      while (!turn.isFinished()) {
        switch (turn.next()) {
          case null -> out.ping();
          case Event.Reasoning(int choice, String more) -> {
            begin(Open.REASONING);
            text.append(more);
            send("response.reasoning_text.delta", inPart().put("delta", more));
          }
          case Event.Text(int choice, String more) -> {
            begin(Open.MESSAGE);
            text.append(more);
            ObjectNode delta = inPart().put("delta", more);
            delta.putArray("logprobs");
            send("response.output_text.delta", delta);
          }
          case Event.Call(int choice, ToolCall call) -> call(call);
          case Event.Done(int choice, Answer answer) -> end(answer);
          default -> {}
        }
      }
    } catch (ApiException e) {
      ObjectNode error =
          Json.object()
              .put("code", e.code() == null ? "server_error" : e.code())
              .put("message", e.text())
              .put("param", e.parameter());
      send("error", error);
    }
  }

  private void send(String type, String key, ObjectNode value) throws IOException {
    ObjectNode data = Json.object();
    data.set(key, value);
    send(type, data);
  }

  private void send(String type, ObjectNode data) throws IOException {
    ObjectNode event = Json.object().put("type", type).put("sequence_number", sequence++);
    event.setAll(data);
    out.event(type, event);
  }

  private ObjectNode inItem() {
    return Json.object().put("item_id", itemId).put("output_index", output.size());
  }

  private ObjectNode inPart() {
    return inItem().put("content_index", 0);
  }

  private void sendItem(String type, ObjectNode item) throws IOException {
    ObjectNode data = Json.object().put("output_index", output.size());
    data.set("item", item);
    send(type, data);
  }

  private void begin(Open kind) throws IOException {
    if (open == kind) {
      return;
    }
    endItem();
    open = kind;
    if (kind == Open.REASONING) {
      itemId = Ids.next("rs_");
      sendItem("response.output_item.added", ResponseForm.reasoning(itemId, ""));
    } else {
      itemId = Ids.next("msg_");
      sendItem("response.output_item.added", ResponseForm.message(itemId, "", false));
      ObjectNode part = inPart();
      part.set("part", ResponseForm.textPart(""));
      send("response.content_part.added", part);
    }
  }

  private void endItem() throws IOException {
    String whole = text.toString();
    text.setLength(0);
    ObjectNode item;
    switch (open) {
      case NOTHING -> {
        return;
      }
      case REASONING -> {
        send("response.reasoning_text.done", inPart().put("text", whole));
        item = ResponseForm.reasoning(itemId, whole);
      }
      case MESSAGE -> {
        ObjectNode done = inPart().put("text", whole);
        done.putArray("logprobs");
        send("response.output_text.done", done);
        ObjectNode part = inPart();
        part.set("part", ResponseForm.textPart(whole));
        send("response.content_part.done", part);
        item = ResponseForm.message(itemId, whole, true);
      }
      default -> throw new IllegalStateException();
    }
    sendItem("response.output_item.done", item);
    output.add(item);
    open = Open.NOTHING;
  }

  private void call(ToolCall call) throws IOException {
    endItem();
    itemId = Ids.next("fc_");
    sendItem("response.output_item.added", ResponseForm.call(itemId, call, false));
    send("response.function_call_arguments.delta", inItem().put("delta", call.arguments()));
    send(
        "response.function_call_arguments.done",
        inItem().put("name", call.name()).put("arguments", call.arguments()));
    ObjectNode item = ResponseForm.call(itemId, call, true);
    sendItem("response.output_item.done", item);
    output.add(item);
  }

  private void end(Answer answer) throws IOException {
    if (output.isEmpty()) {
      begin(Open.MESSAGE); // an answer without words is a message all the same
    }
    endItem();
    ObjectNode whole = form.write(output, answer);
    boolean complete = whole.path("status").asText().equals("completed");
    send(complete ? "response.completed" : "response.incomplete", "response", whole);
  }
}
