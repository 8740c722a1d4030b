package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.ToolChoice;
import java.io.IOException;
import java.util.List;

/** Reads requests for responses, whose items are brought into the form of chats. */
final class ResponsesInput {
  private final ChatService service;
  private final Params request;

  ResponsesInput(ChatService service, Params request) {
    this.service = service;
    this.request = request;
  }

  /** Refuses what needs a server that remembers. */
  void checkSupported() {
    for (String key : List.of("previous_response_id", "conversation", "prompt")) {
      if (request.has(key)) {
        throw ApiException.unsupported(
            key, key + ": this server remembers no conversations; send all items");
      }
    }
    if (request.flag("background")) {
      throw ApiException.unsupported("background", "background: answers are not kept here");
    }
  }

  /** The conversation. */
  List<Message> messages() throws IOException {
    ArrayNode all = Json.array();
    request
        .text("instructions")
        .filter(text -> !text.isEmpty())
        .ifPresent(text -> all.addObject().put("role", "system").put("content", text));
    JsonNode input = request.find("input");
    if (input == null) {
      throw request.missing("input");
    }
    if (input.isTextual()) {
      all.addObject().put("role", "user").put("content", input.textValue());
    } else {
      List<JsonNode> items = request.list("input");
      service.checkMessages(items.size());
      String reasoning = "";
      for (int i = 0; i < items.size(); i++) {
        Params item = request.item("input", i, items.get(i));
        if (item.text("type").orElse("message").equals("reasoning")) {
          reasoning = reasoning(item);
        } else {
          add(all, item, reasoning);
          reasoning = "";
        }
      }
    }
    return service.messages(all);
  }

  private static String reasoning(Params item) {
    var text = new StringBuilder();
    List<JsonNode> parts = item.list(item.list("content").isEmpty() ? "summary" : "content");
    parts.forEach(part -> text.append(part.path("text").asText("")));
    return text.toString();
  }

  private static void add(ArrayNode all, Params item, String reasoning) {
    String type = item.text("type").orElse("message");
    switch (type) {
      case "message" -> {
        ObjectNode message = all.addObject().put("role", item.requireText("role"));
        JsonNode content = item.find("content");
        if (content == null) {
          throw item.missing("content");
        }
        message.set("content", content.isTextual() ? content : parts(item));
        if (!reasoning.isEmpty()) {
          message.put("reasoning_content", reasoning);
        }
      }
      case "function_call" -> {
        ObjectNode message = assistant(all);
        ObjectNode call =
            message.withArray("tool_calls").addObject().put("id", item.requireText("call_id"));
        call.put("type", "function")
            .putObject("function")
            .put("name", item.requireText("name"))
            .put("arguments", item.requireText("arguments"));
        if (!reasoning.isEmpty()) {
          message.put("reasoning_content", reasoning);
        }
      }
      case "function_call_output" -> {
        ObjectNode message =
            all.addObject().put("role", "tool").put("tool_call_id", item.requireText("call_id"));
        JsonNode output = item.find("output");
        if (output == null) {
          throw item.missing("output");
        }
        message.set("content", output.isTextual() ? output : parts(item, "output"));
      }
      default ->
          throw ApiException.unsupported(
              item.name("type"),
              "%s: expected message, reasoning, function_call or function_call_output, found '%s'"
                  .formatted(item.name("type"), type));
    }
  }

  /** The message that a call belongs to: the answer before it, or one of its own. */
  private static ObjectNode assistant(ArrayNode all) {
    if (!all.isEmpty()
        && all.get(all.size() - 1) instanceof ObjectNode last
        && last.path("role").asText().equals("assistant")) {
      return last;
    }
    return all.addObject().put("role", "assistant").putNull("content");
  }

  private static ArrayNode parts(Params item) {
    return parts(item, "content");
  }

  /** Parts of other kinds, such as files, are refused where chats are read. */
  private static ArrayNode parts(Params item, String key) {
    ArrayNode parts = Json.array();
    List<JsonNode> list = item.list(key);
    for (int i = 0; i < list.size(); i++) {
      Params part = item.item(key, i, list.get(i));
      String type = part.requireText("type");
      switch (type) {
        case "input_text", "output_text", "text" ->
            parts.addObject().put("type", "text").put("text", part.requireText("text"));
        case "refusal" ->
            parts.addObject().put("type", "text").put("text", part.requireText("refusal"));
        case "input_image" -> {
          if (part.has("file_id")) {
            throw ApiException.unsupported(
                part.name("file_id"), part.name("file_id") + ": this server keeps no files");
          }
          ObjectNode image = parts.addObject().put("type", "image_url");
          image.putObject("image_url").put("url", part.requireText("image_url"));
        }
        default ->
            throw ApiException.unsupported(
                part.name("type"),
                "%s: expected input_text, input_image or output_text, found '%s'"
                    .formatted(part.name("type"), type));
      }
    }
    return parts;
  }

  /** How to answer. */
  ChatParams params(Lease<ChatEngine> lease) {
    ChatParams params = service.params(lease).sampling(request);
    params.maxTokens(request.integer("max_output_tokens", 1, Integer.MAX_VALUE));
    tools(params);
    request
        .object("text")
        .flatMap(text -> text.object("format"))
        .ifPresent(format -> ChatRequest.responseFormat(params, format));
    request.object("reasoning").flatMap(r -> r.text("effort")).ifPresent(params::effort);
    return params;
  }

  private void tools(ChatParams params) {
    ArrayNode tools = Json.array();
    List<JsonNode> list = request.list("tools");
    for (int i = 0; i < list.size(); i++) {
      Params tool = request.item("tools", i, list.get(i));
      if (!tool.requireText("type").equals("function")) {
        throw ApiException.unsupported(
            tool.name("type"),
            tool.name("type") + ": only functions of the client's own are called");
      }
      ObjectNode function = tools.addObject().put("type", "function").putObject("function");
      for (String key : List.of("name", "description", "parameters", "strict")) {
        JsonNode value = tool.find(key);
        if (value != null) {
          function.set(key, value);
        }
      }
    }
    if (!tools.isEmpty()) {
      params.tools(tools);
    }
    JsonNode choice = request.find("tool_choice");
    if (choice != null && (!tools.isEmpty() || !choice.isTextual())) {
      params.toolChoice(choice(choice));
    }
  }

  private ToolChoice choice(JsonNode choice) {
    if (choice.isTextual()) {
      String word = choice.textValue();
      if (word.equals("auto") || word.equals("none") || word.equals("required")) {
        return ToolChoice.parse(word);
      }
    } else if (choice.path("name").isTextual()) {
      return ToolChoice.named(choice.path("name").textValue());
    }
    throw request.expected("tool_choice", "auto, none, required or a function", choice);
  }
}
