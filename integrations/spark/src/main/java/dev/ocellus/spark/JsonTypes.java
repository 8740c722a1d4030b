package dev.ocellus.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The type of a column for JSON of a schema. Objects with properties are structs, others maps;
 * integers are longs, numbers doubles. What has no one type in Spark, such as a choice of a string
 * and a number, is a string with the JSON in it. Everything may be null, as a schema may leave it
 * out.
 */
final class JsonTypes {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int MAX_DEPTH = 64;

  private final JsonNode root;

  private JsonTypes(JsonNode root) {
    this.root = root;
  }

  /**
   * The type.
   *
   * @throws IllegalArgumentException if the schema is no JSON
   */
  static DataType of(String schema) {
    JsonNode root;
    try {
      root = MAPPER.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("schema: expected JSON: " + e.getOriginalMessage(), e);
    }
    JsonNode inner = unwrapped(root);
    return new JsonTypes(inner).type(inner, 0);
  }

  /** Without the object that OpenAI's API has around a schema. */
  private static JsonNode unwrapped(JsonNode root) {
    JsonNode wrapped = root.path("json_schema").isObject() ? root.get("json_schema") : root;
    boolean isWrapper = wrapped.path("schema").isObject() && !wrapped.has("properties");
    return isWrapper ? wrapped.get("schema") : wrapped;
  }

  private DataType type(JsonNode schema, int depth) {
    if (depth > MAX_DEPTH || !schema.isObject()) {
      return DataTypes.StringType; // a schema of itself has no end, and true allows anything
    }
    if (schema.has("$ref")) {
      return type(referred(schema.get("$ref").asText()), depth + 1);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        return common(schema.get(keyword), depth + 1);
      }
    }
    if (schema.path("allOf").size() == 1) {
      return type(schema.get("allOf").get(0), depth + 1);
    }
    return switch (typeName(schema)) {
      case "object" -> object(schema, depth);
      case "array" -> array(schema, depth);
      case "integer" -> DataTypes.LongType;
      case "number" -> DataTypes.DoubleType;
      case "boolean" -> DataTypes.BooleanType;
      default -> DataTypes.StringType;
    };
  }

  /** A definition inside the schema; null for any other. */
  private JsonNode referred(String reference) {
    return reference.startsWith("#")
        ? root.at(reference.substring(1).replace("%25", "%"))
        : MAPPER.nullNode();
  }

  /** The one type of all choices that are not null, else a string. */
  private DataType common(JsonNode choices, int depth) {
    List<DataType> types = new ArrayList<>();
    for (JsonNode choice : choices) {
      if (!typeName(choice).equals("null")) {
        types.add(type(choice, depth));
      }
    }
    return types.stream().distinct().count() == 1 ? types.get(0) : DataTypes.StringType;
  }

  /** The type that is named, or that values and keywords tell; empty if there are several. */
  private static String typeName(JsonNode schema) {
    JsonNode type = schema.path("type");
    if (type.isTextual()) {
      return type.asText();
    }
    TreeSet<String> names = new TreeSet<>();
    type.forEach(name -> names.add(name.asText()));
    schema.path("enum").forEach(value -> names.add(nameOf(value)));
    if (schema.has("const")) {
      names.add(nameOf(schema.get("const")));
    }
    if (names.isEmpty() && schema.has("properties")) {
      names.add("object");
    }
    if (names.size() > 1) {
      names.remove("null");
    }
    return names.size() == 1 ? names.first() : "";
  }

  private static String nameOf(JsonNode value) {
    return switch (value.getNodeType()) {
      case NULL -> "null";
      case BOOLEAN -> "boolean";
      case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
      case STRING -> "string";
      default -> "";
    };
  }

  private DataType object(JsonNode schema, int depth) {
    JsonNode properties = schema.path("properties");
    if (properties.isEmpty()) {
      JsonNode values = schema.path("additionalProperties");
      return DataTypes.createMapType(
          DataTypes.StringType, values.isObject() ? type(values, depth + 1) : DataTypes.StringType);
    }
    StructType struct = new StructType();
    for (Map.Entry<String, JsonNode> property : properties.properties()) {
      struct = struct.add(property.getKey(), type(property.getValue(), depth + 1));
    }
    return struct;
  }

  private DataType array(JsonNode schema, int depth) {
    JsonNode items = schema.path("items");
    return DataTypes.createArrayType(
        items.isObject() && !schema.has("prefixItems")
            ? type(items, depth + 1)
            : DataTypes.StringType);
  }
}
