package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A response as OpenAI's API writes it, from its beginning to its end. */
final class ResponseForm {
  private final String id = Ids.next("resp_");
  private final long created = Instant.now().getEpochSecond();
  private final Params request;
  private final Turn turn;

  ResponseForm(Params request, Turn turn) {
    this.request = request;
    this.turn = turn;
  }

  /**
   * The response.
   *
   * @param output items so far
   * @param answer null while it is being generated
   */
  ObjectNode write(ArrayNode output, @Nullable Answer answer) {
    boolean cut = answer != null && AnswerForm.finishReason(answer).equals("length");
    ObjectNode node =
        Json.object().put("id", id).put("object", "response").put("created_at", created);
    node.put("status", answer == null ? "in_progress" : cut ? "incomplete" : "completed");
    node.putNull("error");
    if (cut) {
      node.putObject("incomplete_details").put("reason", "max_output_tokens");
    } else {
      node.putNull("incomplete_details");
    }
    echo(node, "instructions");
    echo(node, "max_output_tokens");
    node.put("model", turn.lease().model().name());
    node.set("output", output);
    node.put("parallel_tool_calls", true);
    node.putNull("previous_response_id");
    echo(node, "reasoning");
    node.put("store", false);
    echo(node, "temperature");
    JsonNode text = request.find("text");
    if (text == null) {
      node.putObject("text").putObject("format").put("type", "text");
    } else {
      node.set("text", text);
    }
    JsonNode choice = request.find("tool_choice");
    node.set("tool_choice", choice == null ? Json.object().textNode("auto") : choice);
    JsonNode tools = request.find("tools");
    node.set("tools", tools == null ? Json.array() : tools);
    echo(node, "top_p");
    node.put("truncation", "disabled");
    if (answer == null) {
      node.putNull("usage");
    } else {
      node.set("usage", usage(answer.usage()));
    }
    JsonNode metadata = request.find("metadata");
    node.set("metadata", metadata == null ? Json.object() : metadata);
    return node;
  }

  private void echo(ObjectNode node, String key) {
    JsonNode value = request.find(key);
    node.set(key, value == null ? Json.object().nullNode() : value);
  }

  private static ObjectNode usage(Usage usage) {
    ObjectNode node = Json.object().put("input_tokens", usage.promptTokens());
    node.putObject("input_tokens_details")
        .put("cached_tokens", usage.cachedTokens())
        .put("image_tokens", usage.imageTokens());
    node.put("output_tokens", usage.completionTokens());
    node.putObject("output_tokens_details").put("reasoning_tokens", usage.reasoningTokens());
    return node.put("total_tokens", usage.totalTokens());
  }

  /** The items of an answer. */
  static ArrayNode output(Answer answer) {
    ArrayNode output = Json.array();
    if (!answer.reasoning().isEmpty()) {
      output.add(reasoning(Ids.next("rs_"), answer.reasoning()));
    }
    if (!answer.content().isEmpty() || answer.toolCalls().isEmpty()) {
      output.add(message(Ids.next("msg_"), answer.content(), true));
    }
    List<ToolCall> calls = answer.toolCalls();
    calls.forEach(call -> output.add(call(Ids.next("fc_"), call, true)));
    return output;
  }

  static ObjectNode reasoning(String id, String text) {
    ObjectNode item = Json.object().put("id", id).put("type", "reasoning");
    item.putArray("summary");
    ArrayNode content = item.putArray("content");
    if (!text.isEmpty()) {
      content.addObject().put("type", "reasoning_text").put("text", text);
    }
    return item.put("status", text.isEmpty() ? "in_progress" : "completed");
  }

  static ObjectNode message(String id, String text, boolean complete) {
    ObjectNode item =
        Json.object()
            .put("id", id)
            .put("type", "message")
            .put("status", complete ? "completed" : "in_progress")
            .put("role", "assistant");
    ArrayNode content = item.putArray("content");
    if (complete) {
      content.add(textPart(text));
    }
    return item;
  }

  static ObjectNode textPart(String text) {
    ObjectNode part = Json.object().put("type", "output_text").put("text", text);
    part.putArray("annotations");
    part.putArray("logprobs");
    return part;
  }

  static ObjectNode call(String id, ToolCall call, boolean complete) {
    return Json.object()
        .put("id", id)
        .put("type", "function_call")
        .put("status", complete ? "completed" : "in_progress")
        .put("call_id", call.id())
        .put("name", call.name())
        .put("arguments", complete ? call.arguments() : "");
  }
}
