package dev.ocellus.server.anthropic;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.python.PythonJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Reads requests, whose conversations are brought into OpenAI's form, which is read anyway. */
final class MessagesInput {
  private static final int MAX_TOKENS = Integer.MAX_VALUE;

  private final ChatService service;
  private final Params request;

  MessagesInput(ChatService service, Params request) {
    this.service = service;
    this.request = request;
  }

  /** The conversation, with the system's text in front. */
  List<Message> messages() throws IOException {
    List<JsonNode> list = request.list("messages");
    if (list.isEmpty()) {
      throw request.missing("messages");
    }
    service.checkMessages(list.size());
    ArrayNode all = Json.array();
    String system = text(request, "system");
    if (!system.isEmpty()) {
      all.addObject().put("role", "system").put("content", system);
    }
    for (int i = 0; i < list.size(); i++) {
      add(all, request.item("messages", i, list.get(i)));
    }
    return service.messages(Turns.joined(all));
  }

  /** Refuses a request for an answer that may be of any length. */
  void requireMaxTokens() {
    if (maxTokens().isEmpty()) {
      throw request.missing("max_tokens");
    }
  }

  private OptionalInt maxTokens() {
    return request.integer("max_tokens", 1, MAX_TOKENS);
  }

  /** How to answer. */
  ChatParams params(ChatParams params) {
    params.sampling(request).stop(request, "stop_sequences");
    params.maxTokens(maxTokens());
    tools(params);
    request
        .object("thinking")
        .ifPresent(thinking -> params.thinking(!thinking.requireText("type").equals("disabled")));
    request
        .object("output_config")
        .flatMap(config -> config.object("format"))
        .map(format -> format.find("schema"))
        .ifPresent(params::schema);
    return params;
  }

  private void tools(ChatParams params) {
    ArrayNode tools = Json.array();
    List<JsonNode> list = request.list("tools");
    for (int i = 0; i < list.size(); i++) {
      Params tool = request.item("tools", i, list.get(i));
      JsonNode schema = tool.find("input_schema");
      if (schema == null) {
        throw ApiException.unsupported(
            tool.name("type"), tool.name("type") + ": only tools of the client's own are called");
      }
      ObjectNode function = tools.addObject().put("type", "function").putObject("function");
      function.put("name", tool.requireText("name"));
      tool.text("description").ifPresent(text -> function.put("description", text));
      function.set("parameters", schema);
      if (tool.flag("strict")) {
        function.put("strict", true);
      }
    }
    if (!tools.isEmpty()) {
      params.tools(tools);
    }
    request.object("tool_choice").ifPresent(choice -> params.toolChoice(choice(choice)));
  }

  private static ToolChoice choice(Params choice) {
    String type = choice.requireText("type");
    return switch (type) {
      case "auto" -> ToolChoice.AUTO;
      case "any" -> ToolChoice.REQUIRED;
      case "none" -> ToolChoice.NONE;
      case "tool" -> ToolChoice.named(choice.requireText("name"));
      default ->
          throw ApiException.invalid(
              choice.name("type"),
              "%s: expected auto, any, none or tool, found '%s'"
                  .formatted(choice.name("type"), type));
    };
  }

  /** A text that may be given as a list of blocks. */
  private static String text(Params in, String key) {
    JsonNode value = in.find(key);
    if (value == null || value.isTextual()) {
      return value == null ? "" : value.textValue();
    }
    List<String> texts = new ArrayList<>();
    List<JsonNode> blocks = in.list(key);
    for (int i = 0; i < blocks.size(); i++) {
      texts.add(in.item(key, i, blocks.get(i)).requireText("text"));
    }
    return String.join("\n", texts);
  }

  private static void add(ArrayNode all, Params message) {
    String role = message.requireText("role");
    if (!role.equals("user") && !role.equals("assistant") && !role.equals("system")) {
      throw ApiException.invalid(
          message.name("role"),
          "%s: expected user or assistant, found '%s'".formatted(message.name("role"), role));
    }
    JsonNode content = message.find("content");
    if (content == null) {
      throw message.missing("content");
    }
    if (content.isTextual()) {
      all.addObject().put("role", role).put("content", content.textValue());
      return;
    }
    var blocks = new Blocks(role);
    List<JsonNode> list = message.list("content");
    for (int i = 0; i < list.size(); i++) {
      blocks.add(message.item("content", i, list.get(i)), all);
    }
    blocks.finish(all);
  }

  /** The blocks of a message: results of tools are messages of their own in OpenAI's form. */
  private static final class Blocks {
    private final String role;
    private final ArrayNode parts = Json.array();
    private final ArrayNode calls = Json.array();
    private final StringBuilder thinking = new StringBuilder();

    Blocks(String role) {
      this.role = role;
    }

    void add(Params block, ArrayNode all) {
      String type = block.requireText("type");
      switch (type) {
        case "text" -> parts.addObject().put("type", "text").put("text", block.requireText("text"));
        case "image" -> parts.add(image(block));
        case "thinking" -> thinking.append(block.requireText("thinking"));
        case "redacted_thinking" -> {}
        case "tool_use" -> {
          JsonNode input = block.find("input");
          ObjectNode call = calls.addObject().put("id", block.requireText("id"));
          call.put("type", "function")
              .putObject("function")
              .put("name", block.requireText("name"))
              .put("arguments", input == null ? "{}" : PythonJson.write(input));
        }
        case "tool_result" -> result(block, all);
        default ->
            throw ApiException.invalid(
                block.name("type"),
                "%s: expected text, image, tool_use, tool_result or thinking, found '%s'"
                    .formatted(block.name("type"), type));
      }
    }

    private static ObjectNode image(Params block) {
      Params source = block.object("source").orElseThrow(() -> block.missing("source"));
      String type = source.requireText("type");
      String url =
          switch (type) {
            case "base64" ->
                "data:%s;base64,%s"
                    .formatted(
                        source.text("media_type").orElse("image/*"), source.requireText("data"));
            case "url" -> source.requireText("url");
            default ->
                throw ApiException.invalid(
                    source.name("type"),
                    "%s: expected base64 or url, found '%s'".formatted(source.name("type"), type));
          };
      ObjectNode part = Json.object().put("type", "image_url");
      part.putObject("image_url").put("url", url);
      return part;
    }

    private static void result(Params block, ArrayNode all) {
      ObjectNode message =
          all.addObject().put("role", "tool").put("tool_call_id", block.requireText("tool_use_id"));
      JsonNode content = block.find("content");
      if (content == null || content.isTextual()) {
        message.put("content", content == null ? "" : content.textValue());
        return;
      }
      ArrayNode parts = message.putArray("content");
      List<JsonNode> list = block.list("content");
      for (int i = 0; i < list.size(); i++) {
        Params part = block.item("content", i, list.get(i));
        if (part.requireText("type").equals("image")) {
          parts.add(image(part));
        } else {
          parts.addObject().put("type", "text").put("text", part.requireText("text"));
        }
      }
    }

    void finish(ArrayNode all) {
      if (parts.isEmpty() && calls.isEmpty() && thinking.isEmpty()) {
        return;
      }
      ObjectNode message = all.addObject().put("role", role);
      if (parts.isEmpty()) {
        message.putNull("content");
      } else if (parts.size() == 1 && parts.get(0).has("text")) {
        message.put("content", parts.get(0).get("text").textValue());
      } else {
        message.set("content", parts);
      }
      if (!thinking.isEmpty()) {
        message.put("reasoning_content", thinking.toString());
      }
      if (!calls.isEmpty()) {
        message.set("tool_calls", calls);
      }
    }
  }
}
