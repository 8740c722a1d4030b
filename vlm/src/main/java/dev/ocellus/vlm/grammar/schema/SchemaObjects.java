package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
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

  private record Property(GrammarExpr pair, boolean required) {}

  /** Null if no object is valid. */
  @Nullable GrammarExpr compile(JsonNode schema, String at) {
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
      GrammarExpr value = compiler.value(entry.getValue(), place);
      if (value != null) {
        properties.put(
            entry.getKey(),
            new Property(pair(entry.getKey(), value), required.contains(entry.getKey())));
      }
    }
    GrammarExpr additional = null;
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

  private static GrammarExpr pair(String name, GrammarExpr value) {
    return pair(GrammarExpr.literal(TextNode.valueOf(name).toString()), value);
  }

  private static GrammarExpr pair(GrammarExpr name, GrammarExpr value) {
    return GrammarExpr.sequence(name, GrammarExpr.literal(":"), JsonText.SPACE, value);
  }

  private GrammarExpr assemble(
      JsonNode schema,
      String at,
      Map<String, Property> properties,
      @Nullable GrammarExpr additional) {
    int least = SchemaKeywords.count(schema, "minProperties", at, 0);
    int most = SchemaKeywords.count(schema, "maxProperties", at, GrammarExpr.UNLIMITED);
    long nRequired = properties.values().stream().filter(Property::required).count();
    boolean map = properties.isEmpty() && additional != null;
    // names may come twice, so only one can be promised
    if (least > Math.max(nRequired, map ? 1 : 0)) {
      throw new JsonSchemaException(
          at + "/minProperties", "more than the required properties cannot be promised");
    }
    if (!map && most < (additional != null ? GrammarExpr.UNLIMITED : properties.size())) {
      throw new JsonSchemaException(
          at + "/maxProperties", "not supported with optional or additional properties");
    }
    GrammarExpr open = GrammarExpr.sequence(GrammarExpr.literal("{"), JsonText.SPACE);
    if (properties.isEmpty() && additional != null) {
      GrammarExpr pair =
          pair(
              JsonText.string(new GrammarExpr.Repeat(JsonText.CHAR, 0, GrammarExpr.UNLIMITED)),
              additional);
      GrammarExpr pairs = pairs(pair, most);
      return GrammarExpr.sequence(
          open, least == 0 ? GrammarExpr.optional(pairs) : pairs, GrammarExpr.literal("}"));
    }
    GrammarExpr more = null;
    if (additional != null) {
      more = pair(JsonText.string(otherNames(properties.keySet(), at)), additional);
    }
    List<Property> all = new ArrayList<>(properties.values());
    GrammarExpr afterSome =
        more == null
            ? GrammarExpr.EMPTY
            : new GrammarExpr.Repeat(withComma(more), 0, GrammarExpr.UNLIMITED);
    GrammarExpr afterNone =
        more == null
            ? GrammarExpr.EMPTY
            : GrammarExpr.optional(GrammarExpr.sequence(more, afterSome));
    for (Property property : all.reversed()) {
      GrammarExpr taken = GrammarExpr.sequence(withComma(property.pair), afterSome);
      GrammarExpr first = GrammarExpr.sequence(property.pair, afterSome);
      GrammarExpr skipped = afterNone;
      afterNone =
          compiler.rule(
              property.required ? first : new GrammarExpr.Choice(List.of(first, skipped)));
      afterSome =
          compiler.rule(
              property.required ? taken : new GrammarExpr.Choice(List.of(taken, afterSome)));
    }
    return GrammarExpr.sequence(open, afterNone, JsonText.SPACE, GrammarExpr.literal("}"));
  }

  private static GrammarExpr withComma(GrammarExpr pair) {
    return GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE, pair);
  }

  private static GrammarExpr pairs(GrammarExpr pair, int most) {
    if (most == 0) {
      return GrammarExpr.EMPTY;
    }
    int rest = most == GrammarExpr.UNLIMITED ? most : most - 1;
    return GrammarExpr.sequence(
        pair, new GrammarExpr.Repeat(withComma(pair), 0, rest), JsonText.SPACE);
  }

  /** Names but those given, written without escapes. */
  private static GrammarExpr otherNames(Set<String> names, String at) {
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
    return names.isEmpty()
        ? new GrammarExpr.Repeat(JsonText.CHAR, 0, GrammarExpr.UNLIMITED)
        : otherThan(plain);
  }

  private static GrammarExpr otherThan(List<String> names) {
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
    List<GrammarExpr> options = new ArrayList<>();
    CharSet others = JsonText.PLAIN;
    for (Map.Entry<Integer, List<String>> entry : byFirst.entrySet()) {
      CharSet first = CharSet.of(entry.getKey(), entry.getKey());
      others = others.minus(first);
      options.add(GrammarExpr.sequence(new GrammarExpr.Chars(first), otherThan(entry.getValue())));
    }
    options.add(
        GrammarExpr.sequence(
            new GrammarExpr.Chars(others),
            new GrammarExpr.Repeat(
                new GrammarExpr.Chars(JsonText.PLAIN), 0, GrammarExpr.UNLIMITED)));
    if (mayEnd) {
      options.add(GrammarExpr.EMPTY);
    }
    return new GrammarExpr.Choice(options);
  }
}
