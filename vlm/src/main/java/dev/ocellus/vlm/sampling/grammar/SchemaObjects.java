package dev.ocellus.vlm.sampling.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Expressions of JSON objects: properties in the order in which the schema lists them. */
final class SchemaObjects {
  /** Longest name that additional properties are told apart from. */
  private static final int MAX_NAME = 100;

  private final SchemaCompiler compiler;

  SchemaObjects(SchemaCompiler compiler) {
    this.compiler = compiler;
  }

  private record Property(Expr pair, boolean required) {}

  /** Null if no object is valid. */
  @Nullable Expr compile(JsonNode schema, String at) {
    JsonNode listed = schema.path("properties");
    JsonNode rest = schema.path("additionalProperties");
    Set<String> required = SchemaKeywords.required(schema, at);
    if (!listed.isMissingNode() && !listed.isObject()) {
      throw new JsonSchemaException(at + "/properties", "expected an object, found " + listed);
    }
    boolean isMap =
        listed.isEmpty() && (rest.isMissingNode() || !rest.isBoolean() || rest.asBoolean());
    Map<String, Property> properties = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : listed.properties()) {
      String place = at + "/properties/" + SchemaKeywords.escaped(entry.getKey());
      Expr value = compiler.value(entry.getValue(), place);
      if (value != null) {
        properties.put(
            entry.getKey(),
            new Property(pair(entry.getKey(), value), required.contains(entry.getKey())));
      }
    }
    Expr additional = null;
    if (isMap || !rest.isMissingNode()) {
      additional =
          rest.isMissingNode()
              ? compiler.any()
              : compiler.value(rest, at + "/additionalProperties");
    }
    for (String name : required) {
      if (!properties.containsKey(name)) {
        if (listed.has(name) || additional == null) {
          return null;
        }
        properties.put(name, new Property(pair(name, additional), true));
      }
    }
    return assemble(schema, at, properties, additional);
  }

  private static Expr pair(String name, Expr value) {
    return pair(Expr.literal(TextNode.valueOf(name).toString()), value);
  }

  private static Expr pair(Expr name, Expr value) {
    return Expr.sequence(name, Expr.literal(":"), JsonText.SPACE, value);
  }

  private Expr assemble(
      JsonNode schema, String at, Map<String, Property> properties, @Nullable Expr additional) {
    int least = SchemaKeywords.count(schema, "minProperties", at, 0);
    int most = SchemaKeywords.count(schema, "maxProperties", at, Expr.UNLIMITED);
    long nRequired = properties.values().stream().filter(Property::required).count();
    boolean map = properties.isEmpty() && additional != null;
    // names may come twice, so only one can be promised
    if (least > Math.max(nRequired, map ? 1 : 0)) {
      throw new JsonSchemaException(
          at + "/minProperties", "more than the required properties cannot be promised");
    }
    if (!map && most < (additional != null ? Expr.UNLIMITED : properties.size())) {
      throw new JsonSchemaException(
          at + "/maxProperties", "not supported with optional or additional properties");
    }
    Expr open = Expr.sequence(Expr.literal("{"), JsonText.SPACE);
    if (properties.isEmpty() && additional != null) {
      Expr pair =
          pair(JsonText.string(new Expr.Repeat(JsonText.CHAR, 0, Expr.UNLIMITED)), additional);
      Expr pairs = pairs(pair, most);
      return Expr.sequence(open, least == 0 ? Expr.optional(pairs) : pairs, Expr.literal("}"));
    }
    Expr more = null;
    if (additional != null) {
      more = pair(JsonText.string(otherNames(properties.keySet(), at)), additional);
    }
    List<Property> all = new ArrayList<>(properties.values());
    Expr afterSome =
        more == null ? Expr.EMPTY : new Expr.Repeat(withComma(more), 0, Expr.UNLIMITED);
    Expr afterNone = more == null ? Expr.EMPTY : Expr.optional(Expr.sequence(more, afterSome));
    for (Property property : all.reversed()) {
      Expr taken = Expr.sequence(withComma(property.pair), afterSome);
      Expr first = Expr.sequence(property.pair, afterSome);
      Expr skipped = afterNone;
      afterNone =
          compiler.rule(property.required ? first : new Expr.Choice(List.of(first, skipped)));
      afterSome =
          compiler.rule(property.required ? taken : new Expr.Choice(List.of(taken, afterSome)));
    }
    return Expr.sequence(open, afterNone, JsonText.SPACE, Expr.literal("}"));
  }

  private static Expr withComma(Expr pair) {
    return Expr.sequence(Expr.literal(","), JsonText.SPACE, pair);
  }

  private static Expr pairs(Expr pair, int most) {
    if (most == 0) {
      return Expr.EMPTY;
    }
    int rest = most == Expr.UNLIMITED ? most : most - 1;
    return Expr.sequence(pair, new Expr.Repeat(withComma(pair), 0, rest), JsonText.SPACE);
  }

  /** Names but those given, written without escapes. */
  private static Expr otherNames(Set<String> names, String at) {
    List<String> plain = new ArrayList<>();
    for (String name : names) {
      if (name.codePoints().allMatch(JsonText.PLAIN::contains)) {
        if (name.length() > MAX_NAME) {
          throw new JsonSchemaException(
              at + "/additionalProperties",
              "not supported with names of more than " + MAX_NAME + " characters");
        }
        plain.add(name);
      }
    }
    return names.isEmpty() ? new Expr.Repeat(JsonText.CHAR, 0, Expr.UNLIMITED) : otherThan(plain);
  }

  private static Expr otherThan(List<String> names) {
    Map<Integer, List<String>> byFirst = new TreeMap<>();
    boolean mayEnd = true;
    for (String name : names) {
      if (name.isEmpty()) {
        mayEnd = false;
      } else {
        int first = name.codePointAt(0);
        byFirst
            .computeIfAbsent(first, k -> new ArrayList<>())
            .add(name.substring(Character.charCount(first)));
      }
    }
    List<Expr> options = new ArrayList<>();
    CharSet others = JsonText.PLAIN;
    for (Map.Entry<Integer, List<String>> entry : byFirst.entrySet()) {
      CharSet first = CharSet.of(entry.getKey(), entry.getKey());
      others = others.minus(first);
      options.add(Expr.sequence(new Expr.Chars(first), otherThan(entry.getValue())));
    }
    options.add(
        Expr.sequence(
            new Expr.Chars(others),
            new Expr.Repeat(new Expr.Chars(JsonText.PLAIN), 0, Expr.UNLIMITED)));
    if (mayEnd) {
      options.add(Expr.EMPTY);
    }
    return new Expr.Choice(options);
  }
}
