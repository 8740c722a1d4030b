package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
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

  private static final String[] UNEVALUATED = {"unevaluatedProperties", "unevaluatedItems"};

  private static final int MAX_COMBINATIONS = 256;

  /** Parts of one allOf; more come together only where a schema contains itself. */
  private static final int MAX_PARTS = 512;

  /** Merges for one schema, whatever asks for them. */
  private static final int MAX_MERGES = 200_000;

  private final JsonNode root;
  private int depth;
  private int merges;

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
    JsonNode target = root.at(pointer(text, at));
    if (target.isMissingNode()) {
      throw new JsonSchemaException(at + "/$ref", "there is nothing at " + text);
    }
    return target;
  }

  /** The JSON pointer that stands in a reference as part of a URL. */
  private static String pointer(String reference, String at) {
    try {
      return URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new JsonSchemaException(
          at + "/$ref", "expected two hexadecimal digits behind each %, found " + reference, e);
    }
  }

  /** A schema without a reference at its top. */
  JsonNode deref(JsonNode schema, String at) {
    JsonNode now = schema;
    for (int i = 0; now.has("$ref"); i++) {
      if (i > MAX_DEPTH) {
        throw endless(at);
      }
      JsonNode target = resolve(now.get("$ref"), at);
      JsonNode rest = without(now, "$ref");
      now = isOnlyAnnotations(rest) ? target : mergeInto(rest, target, at);
    }
    return now;
  }

  private static JsonSchemaException endless(String at) {
    return new JsonSchemaException(at, "the schema contains itself without end");
  }

  /** A schema without references and allOf at its top. */
  JsonNode flat(JsonNode schema, String at) {
    JsonNode now = deref(schema, at);
    for (int i = 0; now.has("allOf"); i++) {
      if (i > MAX_DEPTH) {
        throw endless(at);
      }
      JsonNode all = without(now, "allOf");
      for (JsonNode part : SchemaCompiler.list(now, "allOf", at)) {
        all = mergeInto(all, part, at);
      }
      now = all;
    }
    return now;
  }

  static ObjectNode without(JsonNode schema, String... keywords) {
    ObjectNode rest = JSON.objectNode();
    schema.properties().forEach(e -> rest.set(e.getKey(), e.getValue()));
    return rest.remove(List.of(keywords));
  }

  static boolean isOnlyAnnotations(JsonNode schema) {
    return schema.propertyStream().allMatch(e -> SchemaKeywords.isAnnotation(e.getKey()));
  }

  /**
   * As {@link #merge}, of a schema and one that stands in it, such as an alternative, whose
   * properties and items are evaluated for the outer one too.
   */
  JsonNode mergeInto(JsonNode outer, JsonNode inner, String at) {
    if (!SchemaKeywords.hasAny(outer, UNEVALUATED)) {
      return merge(outer, inner, at);
    }
    JsonNode merged = merge(without(outer, UNEVALUATED), inner, at);
    if (!merged.isObject()) {
      return merged; // false, as the outer one is an object
    }
    ObjectNode out = without(merged);
    for (String keyword : UNEVALUATED) {
      if (outer.has(keyword)) {
        out.set(keyword, outer.get(keyword));
      }
    }
    return out;
  }

  /** A schema of the values that two schemas allow both. */
  JsonNode merge(JsonNode a, JsonNode b, String at) {
    if (++merges > MAX_MERGES) {
      throw new JsonSchemaException(at, "the schema is too large");
    }
    if (++depth > MAX_DEPTH) {
      depth--;
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
      return mergeObjects(alone(deref(a, at), at), alone(deref(b, at), at), at);
    } finally {
      depth--;
    }
  }

  /**
   * A schema that says the same beside others: what it leaves unevaluated is what it does not list
   * itself, and null is one of its types.
   */
  private JsonNode alone(JsonNode schema, String at) {
    if (!schema.isObject()) {
      return schema;
    }
    SchemaKeywords.requireSupported(schema, at);
    if (SchemaKeywords.isFalse(schema.path("unevaluatedProperties"))
        || SchemaKeywords.isFalse(schema.path("unevaluatedItems"))) {
      return closed(flat(schema, at), at);
    }
    if (!schema.path("nullable").asBoolean() || !schema.has("type")) {
      return schema;
    }
    ArrayNode types = JSON.arrayNode();
    SchemaKeywords.declaredTypes(schema, at).forEach(types::add);
    return without(schema, "nullable").set("type", types);
  }

  private JsonNode closed(JsonNode schema, String at) {
    if (!schema.isObject()) {
      return schema;
    }
    if (schema.has("oneOf")) {
      throw new JsonSchemaException(
          at, "unevaluatedProperties and unevaluatedItems are not supported beside 'oneOf' here");
    }
    if (schema.has("anyOf")) {
      JsonNode rest = without(schema, "anyOf");
      ArrayNode options = JSON.arrayNode();
      for (JsonNode option : SchemaCompiler.list(schema, "anyOf", at)) {
        options.add(alone(mergeInto(rest, option, at), at));
      }
      return JSON.objectNode().set("anyOf", options);
    }
    ObjectNode out = without(schema, UNEVALUATED);
    if (SchemaKeywords.isFalse(schema.path("unevaluatedProperties"))) {
      out.set("additionalProperties", SchemaKeywords.additional(schema));
    }
    if (SchemaKeywords.isFalse(schema.path("unevaluatedItems"))) {
      out.set("items", SchemaKeywords.items(schema));
    }
    return out;
  }

  private JsonNode mergeObjects(JsonNode a, JsonNode b, String at) {
    if (a.isBoolean() || b.isBoolean()) {
      return merge(a, b, at);
    }
    ObjectNode out = JSON.objectNode();
    a.properties().forEach(e -> out.set(e.getKey(), e.getValue()));
    for (Map.Entry<String, JsonNode> entry : b.properties()) {
      String key = entry.getKey();
      JsonNode mine = a.get(key);
      if (SchemaKeywords.isAnnotation(key)) {
        continue;
      }
      JsonNode both = mine == null ? entry.getValue() : both(key, mine, entry.getValue(), at);
      if (both.isMissingNode()) {
        return BooleanNode.FALSE;
      }
      out.set(key, both);
    }
    if (SchemaKeywords.hasAny(a, "properties", "additionalProperties")
        && SchemaKeywords.hasAny(b, "properties", "additionalProperties")) {
      mergeProperties(a, b, at, out);
    }
    if (SchemaKeywords.hasAny(a, "items", "prefixItems")
        && SchemaKeywords.hasAny(b, "items", "prefixItems")) {
      mergeItems(a, b, at, out);
    }
    return out;
  }

  /** The value of a keyword in the merged schema; missing if no value is valid for both. */
  private JsonNode both(String key, JsonNode a, JsonNode b, String at) {
    if (JsonValues.areEqual(a, b)) {
      return a;
    }
    if (key.equals("format") && !(StringFormats.isKnown(a) && StringFormats.isKnown(b))) {
      return StringFormats.isKnown(a) ? a : b;
    }
    return switch (key) {
      case "type" -> types(a, b, at);
      case "const" -> MissingNode.getInstance();
      case "enum" -> common(a, b);
      case "required" -> union(a, b);
      case "allOf" -> concat(a, b, at);
      case "anyOf", "oneOf" -> combinations(a, b, at + "/" + key);
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
          order(a, b, at + "/" + key) >= 0 ? a : b;
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
          order(a, b, at + "/" + key) <= 0 ? a : b;
      case "uniqueItems" -> BooleanNode.valueOf(a.asBoolean() || b.asBoolean());
      case "nullable" -> BooleanNode.valueOf(a.asBoolean() && b.asBoolean());
      case "properties", "additionalProperties", "items", "prefixItems" -> a; // merged together
      default ->
          throw new JsonSchemaException(
              at + "/" + key, "two different values of '" + key + "' cannot be merged");
    };
  }

  private static int order(JsonNode a, JsonNode b, String at) {
    if (!a.isNumber() || !b.isNumber()) {
      throw new JsonSchemaException(at, "expected a number, found " + (a.isNumber() ? b : a));
    }
    return a.decimalValue().compareTo(b.decimalValue());
  }

  private static JsonNode types(JsonNode a, JsonNode b, String at) {
    Set<String> mine = SchemaKeywords.declaredTypes(JSON.objectNode().set("type", a), at);
    Set<String> other = SchemaKeywords.declaredTypes(JSON.objectNode().set("type", b), at);
    ArrayNode types = JSON.arrayNode();
    for (String type : mine) {
      if (other.contains(type) || (type.equals("integer") && other.contains("number"))) {
        types.add(type);
      } else if (type.equals("number") && other.contains("integer")) {
        types.add("integer");
      }
    }
    return types.isEmpty() ? MissingNode.getInstance() : types;
  }

  private static ArrayNode common(JsonNode a, JsonNode b) {
    ArrayNode values = JSON.arrayNode();
    List<JsonNode> others = b.valueStream().toList();
    a.valueStream().filter(value -> JsonValues.contains(others, value)).forEach(values::add);
    return values;
  }

  private static ArrayNode union(JsonNode a, JsonNode b) {
    Set<JsonNode> all = new LinkedHashSet<>();
    a.forEach(all::add);
    b.forEach(all::add);
    return JSON.arrayNode().addAll(all);
  }

  private static ArrayNode concat(JsonNode a, JsonNode b, String at) {
    if ((long) a.size() + b.size() > MAX_PARTS) { // doubled each time, where it refers to itself
      throw endless(at);
    }
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
      merged.put(
          name, merge(SchemaKeywords.property(a, name), SchemaKeywords.property(b, name), place));
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
    }
  }

  /** An item must suit what each of the two says of its place. */
  private void mergeItems(JsonNode a, JsonNode b, String at, ObjectNode out) {
    int n = Math.max(a.path("prefixItems").size(), b.path("prefixItems").size());
    ArrayNode first = JSON.arrayNode();
    for (int i = 0; i < n; i++) {
      first.add(merge(item(a, i), item(b, i), at + "/prefixItems/" + i));
    }
    if (n > 0) {
      out.set("prefixItems", first);
    }
    if (a.has("items") && b.has("items")) {
      out.set("items", merge(a.get("items"), b.get("items"), at + "/items"));
    }
  }

  private static JsonNode item(JsonNode schema, int i) {
    JsonNode own = schema.path("prefixItems").get(i);
    return own != null ? own : SchemaKeywords.items(schema);
  }
}
