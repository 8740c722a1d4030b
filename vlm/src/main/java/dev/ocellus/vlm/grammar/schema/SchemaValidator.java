package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Whether a value is valid for a schema. Unlike grammars, which write values in one order and of
 * some types only, this is the definition of JSON Schema itself, for the supported keywords.
 */
final class SchemaValidator {
  private static final int MAX_DEPTH = 64;

  private final SchemaMerger merger;
  private final Map<String, Grammar> patterns = new HashMap<>();
  private int depth;

  SchemaValidator(SchemaMerger merger) {
    this.merger = merger;
  }

  /**
   * @throws JsonSchemaException if the schema is not supported
   */
  boolean isValid(JsonNode value, JsonNode schema, String at) {
    if (++depth > MAX_DEPTH) {
      throw new JsonSchemaException(at, "the schema contains itself without end");
    }
    try {
      return isValidHere(value, merger.flat(schema, at), at);
    } finally {
      depth--;
    }
  }

  private boolean isValidHere(JsonNode value, JsonNode schema, String at) {
    if (schema.isBoolean()) {
      return schema.asBoolean();
    }
    if (!schema.isObject()) {
      throw new JsonSchemaException(at, "expected a schema, found " + schema);
    }
    SchemaKeywords.requireSupported(schema, at);
    for (String keyword : List.of("oneOf", "anyOf")) {
      if (schema.has(keyword)) {
        return isAlternative(value, schema, keyword, at);
      }
    }
    return hasType(value, schema, at)
        && isListed(value, schema)
        && switch (value.getNodeType()) {
          case NUMBER -> isInRange(value, schema, at);
          case STRING -> isString(value.asText(), schema, at);
          case ARRAY -> isArray(value, schema, at);
          case OBJECT -> isObject(value, schema, at);
          default -> true;
        };
  }

  /** Alternatives count as they stand, and are merged with what stands beside them. */
  private boolean isAlternative(JsonNode value, JsonNode schema, String keyword, String at) {
    JsonNode rest = SchemaMerger.without(schema, keyword);
    int suiting = 0;
    boolean valid = false;
    int i = 0;
    for (JsonNode alternative : SchemaCompiler.list(schema, keyword, at)) {
      String place = at + "/" + keyword + "/" + i++;
      if (isValid(value, alternative, place)) {
        suiting++;
        valid |= isValid(value, merger.mergeInto(rest, alternative, place), place);
      }
    }
    return valid && (suiting == 1 || keyword.equals("anyOf"));
  }

  private static boolean hasType(JsonNode value, JsonNode schema, String at) {
    return SchemaKeywords.declaredTypes(schema, at).stream()
        .anyMatch(type ->
            switch (type) {
              case "null" -> value.isNull();
              case "boolean" -> value.isBoolean();
              case "integer" -> JsonValues.isWhole(value);
              case "number" -> value.isNumber();
              case "string" -> value.isTextual();
              case "array" -> value.isArray();
              default -> value.isObject();
            });
  }

  private static boolean isListed(JsonNode value, JsonNode schema) {
    return (!schema.has("const") || JsonValues.areEqual(value, schema.path("const")))
        && (!schema.has("enum")
            || JsonValues.contains(schema.path("enum").valueStream().toList(), value));
  }

  private static boolean isInRange(JsonNode value, JsonNode schema, String at) {
    NumberRanges.Bound low = SchemaKeywords.lower(schema, at);
    NumberRanges.Bound high = SchemaKeywords.upper(schema, at);
    int fromLow = low == null ? 1 : value.decimalValue().compareTo(low.value());
    int fromHigh = high == null ? -1 : value.decimalValue().compareTo(high.value());
    return (fromLow > 0 || (fromLow == 0 && low != null && low.inclusive()))
        && (fromHigh < 0 || (fromHigh == 0 && high != null && high.inclusive()))
        && (!schema.has("multipleOf") || JsonValues.isWhole(value));
  }

  private boolean isString(String text, JsonNode schema, String at) {
    int length = text.codePointCount(0, text.length());
    JsonNode format = schema.path("format");
    return length >= SchemaKeywords.count(schema, "minLength", at, 0)
        && length <= SchemaKeywords.count(schema, "maxLength", at, GrammarExpr.UNLIMITED)
        && matches(text, SchemaStrings.pattern(schema, at), at + "/pattern")
        && (!StringFormats.isExact(format)
            || matches(text, StringFormats.pattern(format), at + "/format"));
  }

  private boolean matches(String text, @Nullable String pattern, String at) {
    return pattern == null || patterns.computeIfAbsent(pattern, p -> grammar(p, at)).matches(text);
  }

  private static Grammar grammar(String pattern, String at) {
    try {
      return Grammar.of(Map.of(Grammar.ROOT, RegexPattern.parse(pattern)));
    } catch (IllegalArgumentException e) {
      throw new JsonSchemaException(at, String.valueOf(e.getMessage()), e);
    }
  }

  private boolean isArray(JsonNode array, JsonNode schema, String at) {
    if (array.size() < SchemaKeywords.count(schema, "minItems", at, 0)
        || array.size() > SchemaKeywords.count(schema, "maxItems", at, GrammarExpr.UNLIMITED)) {
      return false;
    }
    JsonNode first = schema.path("prefixItems");
    JsonNode items = SchemaKeywords.items(schema);
    List<JsonNode> seen = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      JsonNode item = array.get(i);
      boolean repeated = schema.path("uniqueItems").asBoolean() && JsonValues.contains(seen, item);
      if (repeated || !isValid(item, i < first.size() ? first.get(i) : items, at + "/items")) {
        return false;
      }
      seen.add(item);
    }
    return true;
  }

  private boolean isObject(JsonNode object, JsonNode schema, String at) {
    Function<String, JsonNode> property =
        name -> {
          JsonNode listed = schema.path("properties").get(name);
          return listed == null ? SchemaKeywords.additional(schema) : listed;
        };
    return object.size() >= SchemaKeywords.count(schema, "minProperties", at, 0)
        && object.size() <= SchemaKeywords.count(schema, "maxProperties", at, GrammarExpr.UNLIMITED)
        && SchemaKeywords.required(schema, at).stream().allMatch(object::has)
        && object.properties().stream()
            .allMatch(e ->
                isValid(
                    e.getValue(),
                    property.apply(e.getKey()),
                    at + "/properties/" + SchemaKeywords.escaped(e.getKey())));
  }
}
