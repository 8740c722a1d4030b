package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Expressions of JSON objects: properties in the order in which the schema lists them, then those
 * that it requires without listing them, then others.
 */
final class SchemaObjects {
  /** Longest name that additional properties are told apart from. */
  private static final int MAX_NAME = 100;

  private final SchemaCompiler compiler;

  SchemaObjects(SchemaCompiler compiler) {
    this.compiler = compiler;
  }

  /** The objects that a schema allows. */
  GrammarExpr compile(JsonNode schema, String at) {
    JsonNode listed = schema.path("properties");
    if (!listed.isMissingNode() && !listed.isObject()) {
      throw new JsonSchemaException(at + "/properties", "expected an object, found " + listed);
    }
    Set<String> required = SchemaKeywords.required(schema, at);
    List<OrderedItems.Item> properties = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : listed.properties()) {
      String place = at + "/properties/" + SchemaKeywords.escaped(entry.getKey());
      GrammarExpr value = compiler.value(entry.getValue(), place);
      properties.add(
          new OrderedItems.Item(pair(entry.getKey(), value), required.contains(entry.getKey())));
    }
    JsonNode rest = SchemaKeywords.additional(schema);
    Set<String> names = new LinkedHashSet<>(required);
    names.removeIf(listed::has);
    if (!names.isEmpty()) {
      GrammarExpr value = unlisted(rest, names.iterator().next(), at);
      names.forEach(name -> properties.add(new OrderedItems.Item(pair(name, value), true)));
    }
    listed.fieldNames().forEachRemaining(names::add);
    return assemble(schema, at, properties, names, rest);
  }

  /** The values of properties that are required and not listed. */
  private GrammarExpr unlisted(JsonNode rest, String name, String at) {
    return SchemaKeywords.isFalse(rest)
        ? compiler.nothing(at, "'%s' is required, and no such property may come".formatted(name))
        : compiler.value(rest, at + "/additionalProperties");
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
      List<OrderedItems.Item> properties,
      Set<String> names,
      JsonNode rest) {
    int min = SchemaKeywords.count(schema, "minProperties", at, 0);
    int max = SchemaKeywords.count(schema, "maxProperties", at, GrammarExpr.UNLIMITED);
    if (min > max) {
      return compiler.nothing(at, "minProperties is more than maxProperties");
    }
    boolean open = SchemaKeywords.isOpen(schema) || compiler.isWide() || min > names.size();
    GrammarExpr others = null;
    if (open && !SchemaKeywords.isFalse(rest)) {
      if (min > names.size() + 1) {
        throw unpromised(at);
      }
      GrammarExpr value = compiler.value(rest, at + "/additionalProperties");
      others = pair(JsonText.string(otherNames(names, at)), value);
    }
    GrammarExpr none = compiler.nothing(at, "no object has so many properties");
    var items =
        new OrderedItems(
            properties,
            others,
            min,
            max,
            none,
            compiler.unsupported(unpromised(at)),
            compiler::rule);
    if (!items.isSmall()) {
      throw new JsonSchemaException(at, "so many properties cannot be counted");
    }
    return GrammarExpr.sequence(
        GrammarExpr.literal("{"),
        JsonText.SPACE,
        items.expr(),
        JsonText.SPACE,
        GrammarExpr.literal("}"));
  }

  private static JsonSchemaException unpromised(String at) { // as names may come twice
    return new JsonSchemaException(
        at + "/minProperties", "more than one property beyond the listed ones cannot be promised");
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
