package dev.ocellus.server.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import java.util.OptionalInt;

/** Reads how to answer: {@code options}, {@code format}, {@code think}, tools. */
final class OllamaParams {
  private static final int MAX_TOP_LOG_PROBS = 20;

  private OllamaParams() {}

  static ChatParams read(ChatParams params, Params p) {
    Params options = p.object("options").orElse(new Params("options", Json.object()));
    params.sampling(options).stop(options, "stop");
    OptionalInt max = options.integer("num_predict", -2, Integer.MAX_VALUE); // -2: fill the context
    params.maxTokens(max.isPresent() && max.getAsInt() < 0 ? OptionalInt.of(-1) : max);
    format(params, p);
    think(params, p);
    JsonNode tools = p.find("tools");
    if (tools != null) {
      if (!(tools instanceof ArrayNode list)) {
        throw p.expected("tools", "a list of tools", tools);
      }
      if (!list.isEmpty()) {
        params.tools(list);
      }
    }
    OptionalInt top = p.integer("top_logprobs", 0, MAX_TOP_LOG_PROBS);
    if (p.flag("logprobs")) {
      params.logProbs(top.orElse(0));
    }
    return params;
  }

  private static void format(ChatParams params, Params p) {
    JsonNode format = p.find("format");
    if (format == null || (format.isTextual() && format.textValue().isEmpty())) {
      return;
    }
    if (format.isObject()) {
      params.schema(format);
    } else if (format.isTextual() && format.textValue().equals("json")) {
      params.anyJson();
    } else {
      throw p.expected("format", "json or a JSON schema", format);
    }
  }

  private static void think(ChatParams params, Params p) {
    JsonNode think = p.find("think");
    if (think == null) {
      return;
    }
    if (think.isBoolean()) {
      params.thinking(think.booleanValue());
    } else {
      params.effort(p.text("think").orElseThrow());
    }
  }
}
