package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Values that are likely to be valid for a schema, or nearly so. */
final class RandomInstances {
  private static final JsonNodeFactory JSON = JsonNodeFactory.withExactBigDecimals(true);

  private final JsonNode root;
  private final SplittableRandom random;
  private final RandomSchemas values;

  RandomInstances(JsonNode root, SplittableRandom random) {
    this.root = root;
    this.random = random;
    this.values = new RandomSchemas(random, false);
  }

  JsonNode next() {
    return of(root, 5);
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private JsonNode of(JsonNode schema, int depth) {
    if (!schema.isObject() || depth <= 0 || chance(4)) {
      return values.value(Math.min(1, depth));
    }
    if (schema.has("const")) {
      return schema.get("const");
    }
    if (schema.has("enum")) {
      return pick(schema.get("enum").valueStream().toList());
    }
    List<JsonNode> parts = new ArrayList<>();
    if (schema.has("$ref")) {
      parts.add(root.at(schema.get("$ref").asText().substring(1)));
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        parts.add(pick(schema.get(keyword).valueStream().toList()));
      }
    }
    schema.path("allOf").forEach(parts::add);
    boolean own =
        schema
            .propertyStream()
            .anyMatch(
                e -> !Set.of("$ref", "anyOf", "oneOf", "allOf", "$defs").contains(e.getKey()));
    JsonNode made = own || parts.isEmpty() ? typed(schema, depth) : null;
    for (JsonNode part : parts) {
      JsonNode other = of(part, depth - 1);
      if (made != null && made.isObject() && other.isObject()) {
        ObjectNode both = made.deepCopy();
        both.setAll((ObjectNode) other);
        made = both;
      } else if (made == null || chance(50)) {
        made = other;
      }
    }
    return made == null ? NullNode.instance : made;
  }

  private JsonNode typed(JsonNode schema, int depth) {
    List<String> types = new ArrayList<>(SchemaKeywords.types(schema, ""));
    return switch (pick(types)) {
      case "null" -> NullNode.instance;
      case "boolean" -> BooleanNode.valueOf(chance(50));
      case "integer" -> number(schema, true);
      case "number" -> number(schema, chance(50));
      case "string" -> string(schema);
      case "array" -> array(schema, depth);
      default -> object(schema, depth);
    };
  }

  private JsonNode number(JsonNode schema, boolean whole) {
    List<BigDecimal> near = new ArrayList<>(List.of(BigDecimal.ZERO));
    Stream.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        .filter(schema::has)
        .forEach(k -> near.add(schema.get(k).decimalValue()));
    BigDecimal value =
        pick(near).add(new BigDecimal(pick(List.of("0", "1", "-1", "0.25", "-0.5"))));
    BigDecimal written =
        (whole ? value.setScale(0, RoundingMode.FLOOR) : value).stripTrailingZeros();
    return DecimalNode.valueOf(written.scale() < 0 ? written.setScale(0) : written);
  }

  private JsonNode string(JsonNode schema) {
    for (List<String> known :
        Stream.concat(RandomSchemas.PATTERNS.stream(), RandomSchemas.FORMATS.stream()).toList()) {
      String wanted = known.getFirst();
      if (wanted.equals(schema.path("pattern").asText())
          || wanted.equals(schema.path("format").asText())) {
        return TextNode.valueOf(pick(known.subList(1, known.size())));
      }
    }
    int min = schema.path("minLength").asInt(0);
    int length = random.nextInt(min, min + 3);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(pick(List.of("a", "b", "1", "é", "😀")));
    }
    return TextNode.valueOf(text.toString());
  }

  private JsonNode array(JsonNode schema, int depth) {
    int min = schema.path("minItems").asInt(0);
    int max = Math.max(min, Math.min(4, schema.path("maxItems").asInt(4)));
    ArrayNode array = JSON.arrayNode();
    int length = random.nextInt(min, max + 1);
    for (int i = 0; i < length; i++) {
      JsonNode own = schema.path("prefixItems").path(i);
      JsonNode item = own.isMissingNode() ? schema.path("items") : own;
      if (item.isBoolean() && !item.asBoolean() && chance(90)) {
        break;
      }
      array.add(of(item, depth - 1));
    }
    return array;
  }

  private JsonNode object(JsonNode schema, int depth) {
    Set<String> names = new LinkedHashSet<>();
    schema.path("properties").fieldNames().forEachRemaining(names::add);
    names.removeIf(name -> chance(40));
    schema.path("required").forEach(name -> names.add(name.asText()));
    if (chance(25)) {
      names.add(pick(RandomSchemas.NAMES));
    }
    ObjectNode object = JSON.objectNode();
    for (String name : names) {
      JsonNode own = schema.path("properties").path(name);
      JsonNode value = own.isMissingNode() ? schema.path("additionalProperties") : own;
      object.set(name, of(value, depth - 1));
    }
    return object;
  }
}
