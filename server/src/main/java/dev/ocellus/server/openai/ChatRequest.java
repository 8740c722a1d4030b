package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.ToolChoice;
import java.util.OptionalInt;

/** Reads the parameters of chat completions. */
final class ChatRequest {
  private static final int MAX_TOP_LOG_PROBS = 20;

  private ChatRequest() {}

  /** Everything that says how to answer. */
  static ChatParams read(ChatService service, Lease<ChatEngine> lease, Params p) {
    ChatParams params = service.params(lease).sampling(p);
    params.logitBias(p, lease.engine().model().pipeline().decoder().vocab().nTokens());
    params.maxTokens(maxTokens(p));
    params.stop(p, "stop");
    logProbs(params, p);
    tools(params, p);
    p.object("response_format").ifPresent(format -> responseFormat(params, format));
    extras(params, p);
    p.text("grammar").filter(text -> !text.isEmpty()).ifPresent(params::grammar);
    p.text("reasoning_effort").ifPresent(params::effort);
    p.object("reasoning").flatMap(r -> r.text("effort")).ifPresent(params::effort);
    return params.templateArguments(p);
  }

  /** What llama-server takes beside OpenAI's names, for chats and for texts. */
  static void extras(ChatParams params, Params p) {
    JsonNode schema = p.find("json_schema");
    if (schema != null) {
      if (!schema.isObject()) {
        throw p.expected("json_schema", "an object", schema);
      }
      params.schema(schema);
    }
    params.ignoreEos(p.flag("ignore_eos"));
  }

  private static OptionalInt maxTokens(Params p) {
    OptionalInt max = p.integer("max_completion_tokens", -1, Integer.MAX_VALUE);
    return max.isPresent() ? max : p.integer("max_tokens", -1, Integer.MAX_VALUE);
  }

  private static void logProbs(ChatParams params, Params p) {
    OptionalInt top = p.integer("top_logprobs", 0, MAX_TOP_LOG_PROBS);
    if (p.flag("logprobs")) {
      params.logProbs(top.orElse(0));
    } else if (top.isPresent() && top.getAsInt() > 0) {
      throw ApiException.invalid("top_logprobs", "top_logprobs: set logprobs to true as well");
    }
  }

  private static void tools(ChatParams params, Params p) {
    JsonNode tools = p.find("tools");
    if (tools != null) {
      if (!(tools instanceof ArrayNode list)) {
        throw p.expected("tools", "a list of tools", tools);
      }
      params.tools(list);
    }
    JsonNode choice = p.find("tool_choice");
    if (choice != null && (tools != null || !choice.isTextual())) {
      params.toolChoice(toolChoice(p, choice));
    }
  }

  private static ToolChoice toolChoice(Params p, JsonNode choice) {
    if (choice.isTextual()) {
      return switch (choice.textValue()) {
        case "auto" -> ToolChoice.AUTO;
        case "required" -> ToolChoice.REQUIRED;
        case "none" -> ToolChoice.NONE;
        default -> throw p.expected("tool_choice", "auto, required, none or a function", choice);
      };
    }
    JsonNode name =
        choice.path("function").has("name")
            ? choice.path("function").get("name")
            : choice.get("name");
    if (name == null || !name.isTextual()) {
      throw p.expected("tool_choice", "auto, required, none or a function with a name", choice);
    }
    return ToolChoice.named(name.textValue());
  }

  /**
   * Reads a format of OpenAI's or llama-server's.
   *
   * @param format {@code text}, {@code json_object} or {@code json_schema}, and what belongs to it
   */
  static void responseFormat(ChatParams params, Params format) {
    String type = format.requireText("type");
    switch (type) {
      case "text" -> {}
      case "json_object" -> {
        JsonNode schema = format.find("schema");
        if (schema == null) {
          params.anyJson();
        } else {
          params.schema(schema);
        }
      }
      case "json_schema" -> {
        Params around = format.object("json_schema").orElse(format);
        JsonNode schema = around.find("schema");
        if (schema == null || !schema.isObject()) {
          throw around.missing("schema");
        }
        params.schema(schema);
      }
      default ->
          throw ApiException.invalid(
              format.name("type"),
              "%s: expected text, json_object or json_schema, found '%s'"
                  .formatted(format.name("type"), type));
    }
  }
}
