package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The values of schemas that allow only a few. */
final class FiniteValues {
  private static final int MAX_INTEGERS = 256;

  private final SchemaMerger merger;
  private final SchemaValidator validator;

  FiniteValues(SchemaMerger merger, SchemaValidator validator) {
    this.merger = merger;
    this.validator = validator;
  }

  /** All valid values, each once; null if they are many, or hard to tell. */
  @Nullable List<JsonNode> of(JsonNode schema, String at) {
    JsonNode flat = merger.flat(schema, at);
    List<JsonNode> candidates = candidates(flat, at);
    if (candidates == null) {
      return null;
    }
    List<JsonNode> values = new ArrayList<>();
    for (JsonNode candidate : candidates) {
      if (!JsonValues.contains(values, candidate) && validator.isValid(candidate, flat, at)) {
        values.add(candidate);
      }
    }
    return values;
  }

  private @Nullable List<JsonNode> candidates(JsonNode schema, String at) {
    if (schema.isBoolean()) {
      return schema.asBoolean() ? null : List.of();
    }
    if (schema.has("const")) {
      return List.of(schema.path("const"));
    }
    if (schema.has("enum")) {
      return schema.path("enum").valueStream().toList();
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        return ofAlternatives(SchemaCompiler.list(schema, keyword, at), at);
      }
    }
    return schema.has("type") ? ofTypes(schema, at) : null;
  }

  private @Nullable List<JsonNode> ofAlternatives(JsonNode alternatives, String at) {
    List<JsonNode> all = new ArrayList<>();
    for (JsonNode alternative : alternatives) {
      List<JsonNode> values = of(alternative, at);
      if (values == null) {
        return null;
      }
      all.addAll(values);
    }
    return all;
  }

  private @Nullable List<JsonNode> ofTypes(JsonNode schema, String at) {
    List<JsonNode> all = new ArrayList<>();
    for (String type : SchemaKeywords.declaredTypes(schema, at)) {
      switch (type) {
        case "null" -> all.add(NullNode.instance);
        case "boolean" -> {
          all.add(BooleanNode.TRUE);
          all.add(BooleanNode.FALSE);
        }
        case "integer" -> {
          List<JsonNode> integers = integers(schema, at);
          if (integers == null) {
            return null;
          }
          all.addAll(integers);
        }
        default -> {
          return null;
        }
      }
    }
    return all;
  }

  private static @Nullable List<JsonNode> integers(JsonNode schema, String at) {
    NumberRanges.Bound low = SchemaKeywords.lower(schema, at);
    NumberRanges.Bound high = SchemaKeywords.upper(schema, at);
    if (low == null || high == null) {
      return null;
    }
    BigDecimal first = low.value().setScale(0, RoundingMode.CEILING);
    BigDecimal last = high.value().setScale(0, RoundingMode.FLOOR);
    if (last.subtract(first).compareTo(BigDecimal.valueOf(MAX_INTEGERS)) > 0) {
      return null;
    }
    List<JsonNode> values = new ArrayList<>();
    for (BigDecimal v = first; v.compareTo(last) <= 0; v = v.add(BigDecimal.ONE)) {
      values.add(BigIntegerNode.valueOf(v.toBigInteger()));
    }
    return values;
  }
}
