package dev.ocellus.server.anthropic;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Json;
import java.util.Set;

/**
 * Messages of one role that follow each other are one turn there, and chat templates may insist
 * that turns alternate.
 */
final class Turns {
  private static final Set<String> JOINED = Set.of("user", "assistant");

  private Turns() {}

  /** Messages in OpenAI's form, with those that are one turn as one. */
  static ArrayNode joined(ArrayNode messages) {
    ArrayNode turns = Json.array();
    for (JsonNode message : messages) {
      String role = message.path("role").asText();
      boolean goesOn =
          JOINED.contains(role)
              && !turns.isEmpty()
              && turns.get(turns.size() - 1).path("role").asText().equals(role);
      if (goesOn) {
        append((ObjectNode) turns.get(turns.size() - 1), message);
      } else {
        turns.add(message.deepCopy());
      }
    }
    return turns;
  }

  private static void append(ObjectNode turn, JsonNode message) {
    ArrayNode parts = Json.array();
    addParts(parts, turn.path("content"));
    addParts(parts, message.path("content"));
    if (!parts.isEmpty()) {
      turn.set("content", parts);
    }
    String reasoning =
        turn.path("reasoning_content").asText("") + message.path("reasoning_content").asText("");
    if (!reasoning.isEmpty()) {
      turn.put("reasoning_content", reasoning);
    }
    if (message.has("tool_calls")) {
      turn.withArray("tool_calls").addAll((ArrayNode) message.get("tool_calls"));
    }
  }

  private static void addParts(ArrayNode parts, JsonNode content) {
    if (content.isTextual() && !content.textValue().isEmpty()) {
      parts.addObject().put("type", "text").put("text", content.textValue());
    } else if (content.isArray()) {
      content.forEach(parts::add);
    }
  }
}
