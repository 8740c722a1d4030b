package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes one schema of two that must both hold, and follows references. */
final class SchemaMerger {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** References and merges inside each other: beyond, a schema contains itself without end. */
  private static final int MAX_DEPTH = 64;

  private static final int MAX_COMBINATIONS = 256;

  private final JsonNode root;
  private int depth;

  SchemaMerger(JsonNode root) {
    this.root = root;
  }

  /** What a reference such as {@code #/$defs/item} names. */
  JsonNode resolve(JsonNode reference, String at) {
    String text = reference.asText();
    if (!reference.isTextual() || !(text.equals("#") || text.startsWith("#/"))) {
      throw new JsonSchemaException(
          at + "/$ref",
          "expected a reference into this schema, such as #/$defs/item; found " + reference);
    }
    String pointer =
        URLDecoder.decode(text.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
    JsonNode target = root.at(pointer);
    if (target.isMissingNode()) {
      throw new JsonSchemaException(at + "/$ref", "there is nothing at " + text);
    }
    return target;
  }

  /** A schema without a reference at its top. */
  JsonNode deref(JsonNode schema, String at) {
    JsonNode now = schema;
    for (int i = 0; now.has("$ref"); i++) {
      if (i > MAX_DEPTH) {
        throw endless(at);
      }
      JsonNode target = resolve(now.get("$ref"), at);
      ObjectNode rest = now.deepCopy();
      rest.remove("$ref");
      now = isOnlyAnnotations(rest) ? target : merge(target, rest, at);
    }
    return now;
  }

  private static JsonSchemaException endless(String at) {
    return new JsonSchemaException(at, "the schema contains itself without end");
  }

  private static boolean isOnlyAnnotations(JsonNode schema) {
    return schema.propertyStream().allMatch(e -> SchemaKeywords.isAnnotation(e.getKey()));
  }

  /** A schema of the values that two schemas allow both. */
  JsonNode merge(JsonNode a, JsonNode b, String at) {
    if (++depth > MAX_DEPTH) {
      throw endless(at);
    }
    try {
      if (a.isBoolean()) {
        return a.asBoolean() ? b : a;
      }
      if (b.isBoolean()) {
        return b.asBoolean() ? a : b;
      }
      if (!a.isObject() || !b.isObject()) {
        throw new JsonSchemaException(at, "expected a schema, found " + (a.isObject() ? b : a));
      }
      return mergeObjects(deref(a, at), deref(b, at), at);
    } finally {
      depth--;
    }
  }

  private JsonNode mergeObjects(JsonNode a, JsonNode b, String at) {
    if (a.isBoolean() || b.isBoolean()) {
      return merge(a, b, at);
    }
    SchemaKeywords.requireSupported(a, at);
    SchemaKeywords.requireSupported(b, at);
    ObjectNode out = JSON.objectNode();
    a.properties().forEach(e -> out.set(e.getKey(), e.getValue()));
    for (Map.Entry<String, JsonNode> entry : b.properties()) {
      String key = entry.getKey();
      JsonNode mine = a.get(key);
      if (SchemaKeywords.isAnnotation(key)) {
        continue;
      }
      JsonNode both = mine == null ? entry.getValue() : both(key, mine, entry.getValue(), at);
      if (both.isBoolean() && !both.asBoolean() && (key.equals("const") || key.equals("type"))) {
        return BooleanNode.FALSE;
      }
      out.set(key, both);
    }
    if (SchemaKeywords.hasAny(a, "properties", "additionalProperties")
        && SchemaKeywords.hasAny(b, "properties", "additionalProperties")) {
      mergeProperties(a, b, at, out);
    }
    return out;
  }

  private JsonNode both(String key, JsonNode a, JsonNode b, String at) {
    if (a.equals(b)) {
      return a;
    }
    return switch (key) {
      case "type" -> types(a, b, at);
      case "const" -> BooleanNode.FALSE;
      case "enum" -> common(a, b);
      case "required" -> union(a, b);
      case "allOf" -> concat(a, b);
      case "anyOf", "oneOf" -> combinations(a, b, at + "/" + key);
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
          a.decimalValue().compareTo(b.decimalValue()) >= 0 ? a : b;
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
          a.decimalValue().compareTo(b.decimalValue()) <= 0 ? a : b;
      case "items" -> merge(a, b, at + "/items");
      case "uniqueItems", "nullable" -> BooleanNode.valueOf(a.asBoolean() || b.asBoolean());
      case "properties", "additionalProperties" -> a; // see mergeProperties
      default ->
          throw new JsonSchemaException(
              at + "/" + key, "two different values of '" + key + "' cannot be merged");
    };
  }

  private static JsonNode types(JsonNode a, JsonNode b, String at) {
    Set<String> mine = SchemaKeywords.types(JSON.objectNode().set("type", a), at);
    Set<String> other = SchemaKeywords.types(JSON.objectNode().set("type", b), at);
    ArrayNode types = JSON.arrayNode();
    for (String type : mine) {
      if (other.contains(type) || (type.equals("integer") && other.contains("number"))) {
        types.add(type);
      } else if (type.equals("number") && other.contains("integer")) {
        types.add("integer");
      }
    }
    return types.isEmpty() ? BooleanNode.FALSE : types;
  }

  private static ArrayNode common(JsonNode a, JsonNode b) {
    ArrayNode values = JSON.arrayNode();
    for (JsonNode value : a) {
      b.forEach(other -> {
        if (other.equals(value)) {
          values.add(value);
        }
      });
    }
    return values;
  }

  private static ArrayNode union(JsonNode a, JsonNode b) {
    Set<JsonNode> all = new LinkedHashSet<>();
    a.forEach(all::add);
    b.forEach(all::add);
    return JSON.arrayNode().addAll(all);
  }

  private static ArrayNode concat(JsonNode a, JsonNode b) {
    ArrayNode all = JSON.arrayNode();
    a.forEach(all::add);
    b.forEach(all::add);
    return all;
  }

  private ArrayNode combinations(JsonNode a, JsonNode b, String at) {
    if ((long) a.size() * b.size() > MAX_COMBINATIONS) {
      throw new JsonSchemaException(
          at, "more than " + MAX_COMBINATIONS + " combinations of alternatives");
    }
    ArrayNode all = JSON.arrayNode();
    for (JsonNode one : a) {
      for (JsonNode other : b) {
        all.add(JSON.objectNode().set("allOf", JSON.arrayNode().add(one).add(other)));
      }
    }
    return all;
  }

  /** A property must suit what each of the two says of it, by name or of all others. */
  private void mergeProperties(JsonNode a, JsonNode b, String at, ObjectNode out) {
    Map<String, JsonNode> merged = new LinkedHashMap<>();
    List<String> names = new ArrayList<>();
    a.path("properties").fieldNames().forEachRemaining(names::add);
    b.path("properties").fieldNames().forEachRemaining(names::add);
    for (String name : new LinkedHashSet<>(names)) {
      String place = at + "/properties/" + SchemaKeywords.escaped(name);
      merged.put(name, merge(property(a, name), property(b, name), place));
    }
    ObjectNode properties = out.putObject("properties");
    merged.forEach(properties::set);
    if (a.has("additionalProperties") && b.has("additionalProperties")) {
      JsonNode rest =
          merge(
              a.get("additionalProperties"),
              b.get("additionalProperties"),
              at + "/additionalProperties");
      out.set("additionalProperties", rest);
    } else {
      out.remove("additionalProperties"); // what only one of them lists may come, nothing else
    }
  }

  private static JsonNode property(JsonNode schema, String name) {
    JsonNode own = schema.path("properties").get(name);
    return own != null
        ? own
        : schema.path("additionalProperties").isMissingNode()
            ? BooleanNode.TRUE
            : schema.path("additionalProperties");
  }

  /**
   * Whether no value that is generated for one of two schemas is valid for the other. False if that
   * cannot be told.
   */
  boolean areDisjoint(JsonNode first, JsonNode second, String at) {
    if (++depth > MAX_DEPTH) {
      depth--;
      return false;
    }
    try {
      JsonNode a = flat(first, at);
      JsonNode b = flat(second, at);
      if (a.isBoolean() || b.isBoolean()) {
        return (a.isBoolean() && !a.asBoolean()) || (b.isBoolean() && !b.asBoolean());
      }
      if (a.has("anyOf") || a.has("oneOf")) {
        JsonNode options = a.has("anyOf") ? a.get("anyOf") : a.get("oneOf");
        return options.valueStream().allMatch(option -> areDisjoint(option, b, at));
      }
      if (b.has("anyOf") || b.has("oneOf")) {
        return areDisjoint(b, a, at);
      }
      JsonNode mine = values(a);
      JsonNode other = values(b);
      if (!mine.isMissingNode() && !other.isMissingNode()) {
        return common(mine, other).isEmpty();
      }
      Set<String> types = widened(SchemaKeywords.types(a, at));
      types.retainAll(widened(SchemaKeywords.types(b, at)));
      return types.isEmpty() || (types.equals(Set.of("object")) && objectsAreDisjoint(a, b, at));
    } finally {
      depth--;
    }
  }

  /** Types of which no two share a value. */
  private static Set<String> widened(Set<String> types) {
    Set<String> wide = new LinkedHashSet<>(types);
    if (wide.remove("integer")) {
      wide.add("number");
    }
    return wide;
  }

  private JsonNode flat(JsonNode schema, String at) {
    JsonNode now = deref(schema, at);
    if (now.has("allOf")) {
      ObjectNode rest = now.deepCopy();
      rest.remove("allOf");
      JsonNode all = rest;
      for (JsonNode part : now.get("allOf")) {
        all = merge(all, part, at);
      }
      return all;
    }
    return now;
  }

  private static JsonNode values(JsonNode schema) {
    return schema.has("const") ? JSON.arrayNode().add(schema.get("const")) : schema.path("enum");
  }

  private boolean objectsAreDisjoint(JsonNode a, JsonNode b, String at) {
    Set<String> mine = SchemaKeywords.required(a, at);
    Set<String> other = SchemaKeywords.required(b, at);
    for (String name : mine) {
      JsonNode p = a.path("properties").get(name);
      JsonNode q = b.path("properties").get(name);
      if (other.contains(name) && p != null && q != null && areDisjoint(p, q, at)) {
        return true;
      }
    }
    return lacksOne(a, other) && lacksOne(b, mine);
  }

  /** Whether an object as it is generated for a schema never has all of some properties. */
  private static boolean lacksOne(JsonNode schema, Set<String> names) {
    JsonNode rest = schema.path("additionalProperties");
    boolean onlyListed =
        rest.isMissingNode() ? schema.has("properties") : rest.isBoolean() && !rest.asBoolean();
    return onlyListed && names.stream().anyMatch(name -> !schema.path("properties").has(name));
  }
}
