package dev.ocellus.vlm.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A tool that a model may call.
 *
 * @param name its name
 * @param definition JSON in OpenAI's form: {@code {"type": "function", "function": {"name": …,
 *     "description": …, "parameters": a JSON schema}}}
 */
public record Tool(String name, String definition) {
  /**
   * Reads tool definitions: a list of them, or an object with one under {@code tools}. A definition
   * may leave out the outer {@code function}.
   *
   * @throws ToolFormatException if the text is not valid JSON or not in OpenAI's form
   */
  public static List<Tool> parseList(String json) {
    JsonNode root;
    try {
      root = PythonJson.read(json);
    } catch (JsonProcessingException e) {
      throw new ToolFormatException("tools: not valid JSON: " + e.getOriginalMessage(), e);
    }
    JsonNode list = root.isObject() ? root.path("tools") : root;
    if (!list.isArray()) {
      throw new ToolFormatException(
          "tools: expected a list of definitions, or an object with one under \"tools\"");
    }
    List<Tool> tools = new ArrayList<>();
    Set<String> names = new LinkedHashSet<>();
    for (int i = 0; i < list.size(); i++) {
      Tool tool = of("tools[" + i + "]", list.get(i));
      if (!names.add(tool.name)) {
        throw new ToolFormatException(
            "tools[%d]: a tool named '%s' is there already".formatted(i, tool.name));
      }
      tools.add(tool);
    }
    return tools;
  }

  private static Tool of(String at, JsonNode node) {
    boolean wrapped = node.path("function").isObject();
    JsonNode function = wrapped ? node.path("function") : node;
    String name = function.path("name").asText("");
    if (!function.isObject() || name.isEmpty()) {
      throw new ToolFormatException(
          at + ": expected {\"type\": \"function\", \"function\": {\"name\": …}}, found " + node);
    }
    JsonNode parameters = function.path("parameters");
    if (!parameters.isMissingNode() && !parameters.isNull() && !parameters.isObject()) {
      throw new ToolFormatException(
          at + ".function.parameters: expected a JSON schema, found " + parameters);
    }
    JsonNode whole =
        wrapped
            ? node
            : PythonJson.MAPPER
                .createObjectNode()
                .put("type", "function")
                .set("function", function);
    return new Tool(name, PythonJson.write(whole));
  }

  /** The JSON schema of the arguments; that of any object if the definition has none. */
  public String parameters() {
    JsonNode parameters = node().path("function").path("parameters");
    return parameters.isObject() ? PythonJson.write(parameters) : "{\"type\":\"object\"}";
  }

  /** Whether the model is to keep to the schema exactly: {@code strict} in OpenAI's form. */
  public boolean isStrict() {
    return node().path("function").path("strict").asBoolean();
  }

  /** Whether an argument is always text, which some formats write without quotes. */
  public boolean isText(String argument) {
    JsonNode schema = node().path("function").path("parameters").path("properties").path(argument);
    JsonNode type = schema.path("type");
    if (!type.isMissingNode()) {
      return type.asText().equals("string");
    }
    JsonNode values = schema.path("enum");
    return schema.path("const").isTextual()
        || (!values.isEmpty() && values.valueStream().allMatch(JsonNode::isTextual));
  }

  private JsonNode node() {
    try {
      return PythonJson.read(definition);
    } catch (JsonProcessingException e) {
      throw new ToolFormatException(
          "tool '%s': its definition is not valid JSON: %s".formatted(name, e.getOriginalMessage()),
          e);
    }
  }
}
