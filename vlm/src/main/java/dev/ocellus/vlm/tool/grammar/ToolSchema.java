package dev.ocellus.vlm.tool.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The arguments of a tool: an object that a schema describes, or any object. */
final class ToolSchema {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** What a schema may say at its top where arguments are written one by one. */
  private static final Set<String> SIMPLE =
      Set.of("type", "properties", "required", "additionalProperties", "unevaluatedProperties");

  private final Tool tool;
  private final JsonNode schema;
  private final Optional<String> problem;

  private ToolSchema(Tool tool, JsonNode schema, Optional<String> problem) {
    this.tool = tool;
    this.schema = schema;
    this.problem = problem;
  }

  /** One argument; {@code text} says whether it is always text. */
  record Argument(String name, JsonNode schema, boolean required, boolean text) {}

  /** Reads a tool's schema; one that is not supported allows any object. */
  static ToolSchema of(Tool tool) {
    try {
      JsonNode schema = MAPPER.readTree(tool.parameters());
      boolean typed =
          List.of("type", "$ref", "allOf", "anyOf", "oneOf", "enum", "const").stream()
              .anyMatch(schema::has);
      if (!typed) {
        ((ObjectNode) schema).put("type", "object");
      }
      Grammar grammar = JsonSchemaGrammar.of(schema.toString());
      if (!grammar.matcher().allows("{")) {
        return any(tool, "its parameters are no object");
      }
      return new ToolSchema(tool, schema, Optional.empty());
    } catch (JsonProcessingException | JsonSchemaException e) {
      return any(tool, String.valueOf(e.getMessage()));
    }
  }

  private static ToolSchema any(Tool tool, String problem) {
    JsonNode schema = MAPPER.createObjectNode().put("type", "object");
    return new ToolSchema(tool, schema, Optional.of(problem));
  }

  /** The same tool with any object for arguments. */
  ToolSchema withAnyArguments(String why) {
    return any(tool, why);
  }

  String name() {
    return tool.name();
  }

  boolean isStrict() {
    return tool.isStrict();
  }

  /** Why the arguments are not constrained to the schema, if they are not. */
  Optional<String> problem() {
    return problem;
  }

  /** Whether a call may leave the arguments out. */
  boolean mayBeEmpty() {
    return JsonSchemaGrammar.of(schema.toString()).matches("{}");
  }

  /** The arguments as a JSON object. */
  GrammarExpr json(Map<String, GrammarExpr> rules) {
    return JsonSchemaGrammar.addTo(rules, schema.toString());
  }

  /** Whether the arguments can be told one by one. */
  boolean isSimple() {
    return schema
        .propertyStream()
        .map(Map.Entry::getKey)
        .allMatch(key -> SIMPLE.contains(key) || JsonSchemaGrammar.isAnnotation(key));
  }

  /** The arguments that the schema lists. */
  List<Argument> arguments() {
    Set<String> required = new LinkedHashSet<>();
    schema.path("required").forEach(name -> required.add(name.asText()));
    Map<String, JsonNode> listed = new LinkedHashMap<>();
    schema.path("properties").properties().forEach(e -> listed.put(e.getKey(), e.getValue()));
    Set<String> others = new LinkedHashSet<>(required);
    others.removeAll(listed.keySet());
    others.forEach(name -> listed.put(name, schema.path("additionalProperties")));
    return listed.entrySet().stream()
        .map(e ->
            new Argument(
                e.getKey(),
                withDefinitions(e.getValue()),
                required.contains(e.getKey()),
                tool.isText(e.getKey())))
        .toList();
  }

  /** Whether arguments may come that the schema does not list. */
  boolean isOpen() {
    return schema.path("properties").isEmpty()
        && !schema.path("additionalProperties").isObject()
        && schema.path("additionalProperties").asBoolean(true)
        && schema.path("unevaluatedProperties").asBoolean(true);
  }

  /** References in a part of the schema lead into the whole. */
  private JsonNode withDefinitions(JsonNode part) {
    if (!part.isObject()) {
      return part.isMissingNode() ? MAPPER.createObjectNode() : part;
    }
    ObjectNode whole = part.deepCopy();
    for (String key : List.of("$defs", "definitions")) {
      if (schema.has(key)) {
        whole.set(key, schema.get(key));
      }
    }
    return whole;
  }
}
