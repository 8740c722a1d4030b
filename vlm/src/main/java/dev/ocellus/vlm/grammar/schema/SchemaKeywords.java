package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads single keywords of a schema, and refuses what is not supported. */
final class SchemaKeywords {
  static final List<String> ALL_TYPES =
      List.of("object", "array", "string", "number", "boolean", "null");

  private static final Set<String> UNSUPPORTED =
      Set.of(
          "not",
          "if",
          "then",
          "else",
          "dependentRequired",
          "dependentSchemas",
          "dependencies",
          "patternProperties",
          "propertyNames",
          "contains",
          "multipleOf",
          "$dynamicRef",
          "$recursiveRef");

  /** Keywords that say nothing about which values are valid. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "example",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$comment",
          "$schema",
          "$id",
          "$anchor",
          "$defs",
          "definitions",
          "contentEncoding",
          "contentMediaType",
          "contentSchema",
          "strict");

  private SchemaKeywords() {}

  static boolean isAnnotation(String keyword) {
    return ANNOTATIONS.contains(keyword) || keyword.startsWith("x-");
  }

  static void requireSupported(JsonNode schema, String at) {
    for (Map.Entry<String, JsonNode> entry : schema.properties()) {
      String keyword = entry.getKey();
      JsonNode value = entry.getValue();
      boolean refused =
          switch (keyword) {
            case "multipleOf" ->
                !value.isNumber() || value.decimalValue().compareTo(BigDecimal.ONE) != 0;
            case "unevaluatedProperties", "unevaluatedItems" -> !value.isBoolean();
            default -> UNSUPPORTED.contains(keyword);
          };
      if (refused) {
        throw new JsonSchemaException(
            at + "/" + escaped(keyword),
            "'" + keyword + "' is not supported (docs/constraints.md lists what is)");
      }
    }
  }

  /** A name as a part of a JSON pointer. */
  static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /** The types of the values that are written: those named, or those that keywords are about. */
  static Set<String> types(JsonNode schema, String at) {
    if (schema.has("type")) {
      return declaredTypes(schema, at);
    }
    Set<String> types = new LinkedHashSet<>();
    if (hasAny(
        schema,
        "properties",
        "required",
        "additionalProperties",
        "unevaluatedProperties",
        "minProperties",
        "maxProperties")) {
      types.add("object");
    }
    if (hasAny(
        schema,
        "items",
        "prefixItems",
        "unevaluatedItems",
        "minItems",
        "maxItems",
        "uniqueItems")) {
      types.add("array");
    }
    if (hasAny(schema, "minLength", "maxLength", "pattern")
        || StringFormats.isKnown(schema.path("format"))) {
      types.add("string");
    }
    if (hasAny(schema, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
      types.add("number");
    }
    return types.isEmpty() ? new LinkedHashSet<>(ALL_TYPES) : types;
  }

  /** The types of the values that are valid: those named, or all. */
  static Set<String> declaredTypes(JsonNode schema, String at) {
    JsonNode type = schema.get("type");
    if (type == null) {
      return new LinkedHashSet<>(ALL_TYPES);
    }
    Set<String> types = new LinkedHashSet<>();
    for (JsonNode word : type.isArray() ? type : List.of(type)) {
      if (!word.isTextual()
          || !(ALL_TYPES.contains(word.asText()) || word.asText().equals("integer"))) {
        throw new JsonSchemaException(
            at + "/type", "expected one of " + ALL_TYPES + " or integer, found " + word);
      }
      types.add(word.asText());
    }
    if (schema.path("nullable").asBoolean()) { // OpenAPI 3.0
      types.add("null");
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types;
  }

  /** What a property of an object must be. */
  static JsonNode property(JsonNode schema, String name) {
    JsonNode listed = schema.path("properties").get(name);
    return listed == null ? additional(schema) : listed;
  }

  /** The schema of properties that are not listed. */
  static JsonNode additional(JsonNode schema) {
    return orUnevaluated(schema, "additionalProperties", "unevaluatedProperties");
  }

  /** The schema of items behind prefixItems. */
  static JsonNode items(JsonNode schema) {
    return orUnevaluated(schema, "items", "unevaluatedItems");
  }

  /** What stands beside has been merged in, so that nothing else is evaluated. */
  private static JsonNode orUnevaluated(JsonNode schema, String keyword, String unevaluated) {
    JsonNode rest = schema.get(keyword);
    return rest != null ? rest : BooleanNode.valueOf(schema.path(unevaluated).asBoolean(true));
  }

  /** Whether properties come that are not listed: a map, or where additionalProperties asks. */
  static boolean isOpen(JsonNode schema) {
    return !isFalse(additional(schema))
        && (schema.has("additionalProperties") || schema.path("properties").isEmpty());
  }

  static boolean isFalse(JsonNode schema) {
    return schema.isBoolean() && !schema.asBoolean();
  }

  static boolean hasAny(JsonNode schema, String... keywords) {
    for (String keyword : keywords) {
      if (schema.has(keyword)) {
        return true;
      }
    }
    return false;
  }

  /** A count that is not negative, or {@code defaultValue} if it is missing. */
  static int count(JsonNode schema, String keyword, String at, int defaultValue) {
    JsonNode node = schema.get(keyword);
    if (node == null) {
      return defaultValue;
    }
    if (!node.isNumber() || node.decimalValue().signum() < 0 || !JsonValues.isWhole(node)) {
      throw new JsonSchemaException(
          at + "/" + keyword, "expected a whole number of at least 0, found " + node);
    }
    return node.decimalValue().min(BigDecimal.valueOf(GrammarExpr.UNLIMITED)).intValue();
  }

  /** The lower bound of numbers; null if there is none. */
  static NumberRanges.@Nullable Bound lower(JsonNode schema, String at) {
    return bound(schema, "minimum", "exclusiveMinimum", true, at);
  }

  /** The upper bound of numbers; null if there is none. */
  static NumberRanges.@Nullable Bound upper(JsonNode schema, String at) {
    return bound(schema, "maximum", "exclusiveMaximum", false, at);
  }

  /** The tighter of two bounds; null if neither is there. */
  private static NumberRanges.@Nullable Bound bound(
      JsonNode schema, String inclusive, String exclusive, boolean lower, String at) {
    NumberRanges.Bound a = bound(schema, inclusive, true, at);
    NumberRanges.Bound b = bound(schema, exclusive, false, at);
    if (a == null || b == null) {
      return a == null ? b : a;
    }
    int order = a.value().compareTo(b.value());
    return (lower ? order > 0 : order < 0) ? a : b;
  }

  private static NumberRanges.@Nullable Bound bound(
      JsonNode schema, String keyword, boolean inclusive, String at) {
    JsonNode node = schema.get(keyword);
    if (node == null) {
      return null;
    }
    if (!node.isNumber()) {
      throw new JsonSchemaException(at + "/" + keyword, "expected a number, found " + node);
    }
    BigDecimal value = node.decimalValue();
    if (Math.abs((long) value.precision() - value.scale()) > 300 || value.scale() > 300) {
      throw new JsonSchemaException(at + "/" + keyword, "expected a number of at most 300 digits");
    }
    return new NumberRanges.Bound(value, inclusive);
  }

  /** The names under {@code required}. */
  static Set<String> required(JsonNode schema, String at) {
    Set<String> names = new LinkedHashSet<>();
    JsonNode list = schema.path("required");
    if (!list.isMissingNode() && !list.isArray()) {
      throw new JsonSchemaException(at + "/required", "expected a list of names, found " + list);
    }
    for (JsonNode name : list) {
      if (!name.isTextual()) {
        throw new JsonSchemaException(at + "/required", "expected a list of names, found " + name);
      }
      names.add(name.asText());
    }
    return names;
  }
}
