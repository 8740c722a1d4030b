package dev.ocellus.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/** JSON as values of a column. */
final class JsonValues {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JsonValues() {}

  /**
   * The value of an answer.
   *
   * @throws RowFailure.Thrown if it is no JSON, or of another type
   */
  static @Nullable Object read(String json, DataType type) throws RowFailure.Thrown {
    try {
      return value(MAPPER.readTree(json), type, "");
    } catch (JsonProcessingException e) {
      throw new RowFailure.Thrown(
          ErrorCode.INVALID_JSON,
          "the answer is no JSON (%s): %s".formatted(e.getOriginalMessage(), json),
          e);
    }
  }

  private static @Nullable Object value(JsonNode node, DataType type, String at)
      throws RowFailure.Thrown {
    if (node.isNull() || node.isMissingNode()) {
      return null;
    }
    if (type.equals(DataTypes.StringType)) {
      return node.isTextual() ? node.asText() : node.toString();
    }
    if (type instanceof StructType struct && node.isObject()) {
      return struct(node, struct, at);
    }
    if (type instanceof ArrayType array && node.isArray()) {
      @Nullable Object[] values = new @Nullable Object[node.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(node.get(i), array.elementType(), at + "/" + i);
      }
      return values;
    }
    if (type instanceof MapType map && node.isObject()) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : node.properties()) {
        values.put(
            entry.getKey(), value(entry.getValue(), map.valueType(), at + "/" + entry.getKey()));
      }
      return CollectionConverters.asScala(values);
    }
    return scalar(node, type, at);
  }

  private static Object struct(JsonNode node, StructType struct, String at)
      throws RowFailure.Thrown {
    StructField[] fields = struct.fields();
    @Nullable Object[] values = new @Nullable Object[fields.length];
    for (int i = 0; i < fields.length; i++) {
      String name = fields[i].name();
      values[i] = value(node.path(name), fields[i].dataType(), at + "/" + name);
    }
    return RowFactory.create(values);
  }

  private static Object scalar(JsonNode node, DataType type, String at) throws RowFailure.Thrown {
    if (type.equals(DataTypes.LongType) && node.isNumber() && isLong(node)) {
      return node.longValue();
    }
    if (type.equals(DataTypes.DoubleType) && node.isNumber()) {
      return node.doubleValue();
    }
    if (type.equals(DataTypes.BooleanType) && node.isBoolean()) {
      return node.booleanValue();
    }
    throw new RowFailure.Thrown(
        ErrorCode.INVALID_JSON,
        "the answer has at '%s' %s, which is no %s".formatted(at, node, type.simpleString()),
        null);
  }

  /** JSON Schema counts 1.0 among the integers. */
  private static boolean isLong(JsonNode node) {
    return node.canConvertToLong() && node.canConvertToExactIntegral();
  }
}
