package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Schemas made by chance of the keywords that grammars support, in all combinations, also of those
 * that contradict each other.
 */
final class RandomSchemas {
  static final List<String> NAMES = List.of("a", "b", "c", "ab", "x y", "é\"");
  private static final JsonNodeFactory JSON = JsonNodeFactory.withExactBigDecimals(true);
  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");

  /** With strings that match, for instances. */
  static final List<List<String>> PATTERNS =
      List.of(
          List.of("^a+$", "a", "aaa"),
          List.of("b", "b", "abc"),
          List.of("^(?:ab|c)$", "ab", "c"),
          List.of("^[a-c]{2,4}$", "ab", "abca"),
          List.of("\\d", "1", "a1"),
          List.of("^$", ""));

  static final List<List<String>> FORMATS =
      List.of(
          List.of("date", "2024-02-29", "2023-01-01"),
          List.of("uuid", "123e4567-e89b-12d3-a456-426614174000"),
          List.of("ipv4", "127.0.0.1"),
          List.of("byte", "aGk="),
          List.of("binary", "x"),
          List.of("password", "x"),
          List.of("int64", "x"),
          List.of("colour", "red"));

  private final SplittableRandom random;

  /** Whether everything is said: types always, and what may follow listed items and properties. */
  private final boolean explicit;

  private final int definitions;

  RandomSchemas(SplittableRandom random, boolean explicit) {
    this.random = random;
    this.explicit = explicit;
    this.definitions = random.nextInt(3);
  }

  JsonNode next() {
    ObjectNode root = object(schema(3));
    ObjectNode defs = JSON.objectNode();
    for (int i = 0; i < definitions; i++) {
      defs.set("d" + i, schema(2));
    }
    if (definitions > 0) {
      root.set("$defs", defs);
    }
    return root;
  }

  private ObjectNode object(JsonNode schema) {
    return schema.isObject() ? (ObjectNode) schema : typed(2);
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private JsonNode schema(int depth) {
    int kind = random.nextInt(100);
    if (kind < 5) {
      return BooleanNode.valueOf(chance(30));
    }
    if (kind < 12 && definitions > 0) {
      ObjectNode ref = chance(25) && depth > 0 ? object(typed(depth - 1)) : JSON.objectNode();
      return ref.put("$ref", "#/$defs/d" + random.nextInt(definitions));
    }
    if (kind < 30 && depth > 0) {
      return combined(depth);
    }
    return typed(depth);
  }

  private JsonNode combined(int depth) {
    ObjectNode schema = chance(40) ? object(typed(depth - 1)) : JSON.objectNode();
    ArrayNode parts = schema.putArray(pick(List.of("anyOf", "allOf", "oneOf")));
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      parts.add(schema(depth - 1));
    }
    if (!explicit && chance(15)) {
      schema.put(pick(List.of("unevaluatedProperties", "unevaluatedItems")), false);
    }
    return schema;
  }

  private ObjectNode typed(int depth) {
    ObjectNode schema = JSON.objectNode();
    if (chance(12)) {
      constants(schema);
      if (chance(50)) {
        return schema;
      }
    }
    String type = pick(depth > 0 ? TYPES : TYPES.subList(2, TYPES.size()));
    if (type.equals("object")) {
      schema.remove("enum"); // the validator then forgets the type
    }
    switch (type) {
      case "object" -> properties(schema, depth);
      case "array" -> items(schema, depth);
      case "string" -> strings(schema);
      case "number", "integer" -> numbers(schema);
      default -> {}
    }
    if (explicit || chance(75)) {
      if (chance(15)) {
        schema.putArray("type").add(type).add(pick(TYPES));
      } else {
        schema.put("type", type);
        if (type.equals("array") && chance(20)) {
          schema.put("uniqueItems", true); // the validator asks it of objects too
        }
      }
    }
    return schema;
  }

  private void constants(ObjectNode schema) {
    if (chance(30)) {
      schema.set("const", value(1));
      return;
    }
    ArrayNode values = schema.putArray("enum");
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      values.add(value(1));
    }
  }

  /** Any value. */
  JsonNode value(int depth) {
    return switch (random.nextInt(depth > 0 ? 8 : 6)) {
      case 0 -> NullNode.instance;
      case 1 -> BooleanNode.valueOf(chance(50));
      case 2 -> IntNode.valueOf(random.nextInt(-3, 6));
      case 3 -> number();
      case 4 -> TextNode.valueOf(pick(PATTERNS).getLast());
      case 5 -> TextNode.valueOf(pick(FORMATS).getLast());
      case 6 -> {
        ArrayNode array = JSON.arrayNode();
        for (int i = random.nextInt(4); i > 0; i--) {
          array.add(value(depth - 1));
        }
        yield array;
      }
      default -> {
        ObjectNode object = JSON.objectNode();
        for (int i = random.nextInt(4); i > 0; i--) {
          object.set(pick(NAMES), value(depth - 1));
        }
        yield object;
      }
    };
  }

  private DecimalNode number() {
    return DecimalNode.valueOf(
        new BigDecimal(pick(List.of("0.5", "1.5", "-2.25", "0.125", "3", "-1", "0", "2.75"))));
  }

  private void strings(ObjectNode schema) {
    if (chance(30)) {
      schema.put("minLength", random.nextInt(5));
    }
    if (chance(30)) {
      schema.put("maxLength", random.nextInt(6));
    }
    if (chance(15)) {
      schema.put("pattern", pick(PATTERNS).getFirst());
    } else if (chance(15)) {
      schema.put("format", pick(FORMATS).getFirst());
    }
  }

  private void numbers(ObjectNode schema) {
    for (String keyword : List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")) {
      if (chance(30)) {
        schema.set(keyword, chance(50) ? IntNode.valueOf(random.nextInt(-3, 6)) : number());
      }
    }
    if (chance(5)) {
      schema.put("multipleOf", 1);
    }
  }

  private void items(ObjectNode schema, int depth) {
    boolean tuple = chance(30);
    if (tuple) {
      ArrayNode first = schema.putArray("prefixItems");
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        first.add(schema(depth - 1));
      }
    }
    if (explicit || chance(70)) {
      schema.set("items", chance(15) ? BooleanNode.FALSE : schema(depth - 1));
    }
    if ((explicit && tuple) || chance(40)) {
      schema.put("minItems", random.nextInt(4));
    }
    if (chance(40)) {
      schema.put("maxItems", random.nextInt(4));
    }
    if (!explicit && chance(5)) {
      schema.put("unevaluatedItems", false);
    }
  }

  private void properties(ObjectNode schema, int depth) {
    if (explicit || chance(85)) {
      ObjectNode properties = schema.putObject("properties");
      for (int i = random.nextInt(4); i > 0; i--) {
        properties.set(pick(NAMES), schema(depth - 1));
      }
    }
    if (chance(60)) {
      ArrayNode required = schema.putArray("required");
      for (int i = random.nextInt(1, 3); i > 0; i--) {
        String name = chance(15) ? "zz" : pick(NAMES);
        if (required.valueStream().noneMatch(n -> n.asText().equals(name))) {
          required.add(name);
        }
      }
    }
    if (explicit || chance(40)) {
      schema.set(
          "additionalProperties", chance(60) ? BooleanNode.valueOf(chance(30)) : schema(depth - 1));
    }
    if (chance(12)) {
      schema.put("minProperties", random.nextInt(4));
    }
    if (chance(12)) {
      schema.put("maxProperties", random.nextInt(4));
    }
    if (!explicit && chance(8)) {
      schema.put("unevaluatedProperties", false);
    }
  }
}
