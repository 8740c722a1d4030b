package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes a grammar of the JSON texts that a schema allows. */
final class SchemaCompiler {
  /** Schemas looked at, counted again wherever one is merged with others. */
  private static final int MAX_SCHEMAS = 50_000;

  /** Schemas inside each other; JSON itself nests less deep. */
  private static final int MAX_DEPTH = 250;

  private static final String ANY = "any";

  private final JsonNode root;
  private final SchemaMerger merger;
  private final SchemaObjects objects = new SchemaObjects(this);
  private final Map<String, GrammarExpr> rules;
  private final Map<JsonNode, String> referenced = new HashMap<>();
  private int schemas;
  private int depth;

  private SchemaCompiler(JsonNode root, Map<String, GrammarExpr> rules) {
    this.root = root;
    this.rules = rules;
    this.merger = new SchemaMerger(root);
  }

  /** The grammar of a schema. */
  static Grammar compile(JsonNode schema) {
    return new SchemaCompiler(schema, new LinkedHashMap<>()).compile();
  }

  /**
   * Adds the rules of a schema to others.
   *
   * @return the values that it allows
   */
  static GrammarExpr add(JsonNode schema, Map<String, GrammarExpr> rules) {
    return new SchemaCompiler(schema, rules).required(schema, "");
  }

  private Grammar compile() {
    rules.put(Grammar.ROOT, GrammarExpr.EMPTY);
    rules.put(Grammar.ROOT, required(root, ""));
    try {
      return Grammar.of(rules);
    } catch (GrammarException e) {
      throw new JsonSchemaException(
          "", "no finite value is valid, as the schema requires itself, or it is too large", e);
    }
  }

  private GrammarExpr required(JsonNode schema, String at) {
    GrammarExpr expr = value(schema, at);
    if (expr == null) {
      throw new JsonSchemaException(at, "no value is valid here");
    }
    return expr;
  }

  /** An expression as a rule of its own. */
  GrammarExpr rule(GrammarExpr expr) {
    String name = "rule-" + rules.size();
    rules.put(name, expr);
    return GrammarExpr.ref(name);
  }

  /** Any JSON value. */
  GrammarExpr any() {
    if (!rules.containsKey(ANY)) {
      GrammarExpr string =
          JsonText.string(new GrammarExpr.Repeat(JsonText.CHAR, 0, GrammarExpr.UNLIMITED));
      GrammarExpr pair =
          GrammarExpr.sequence(
              string, GrammarExpr.literal(":"), JsonText.SPACE, GrammarExpr.ref(ANY));
      GrammarExpr more = GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE, pair);
      GrammarExpr pairs =
          GrammarExpr.sequence(
              pair, new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED), JsonText.SPACE);
      rules.put(
          ANY,
          new GrammarExpr.Choice(
              List.of(
                  GrammarExpr.sequence(
                      GrammarExpr.literal("{"),
                      JsonText.SPACE,
                      GrammarExpr.optional(pairs),
                      GrammarExpr.literal("}")),
                  JsonText.array(GrammarExpr.ref(ANY), 0, GrammarExpr.UNLIMITED),
                  string,
                  NumberRanges.NUMBER,
                  GrammarExpr.literal("true"),
                  GrammarExpr.literal("false"),
                  GrammarExpr.literal("null"))));
    }
    return GrammarExpr.ref(ANY);
  }

  /** The values that a schema allows; null if it allows none. */
  @Nullable GrammarExpr value(JsonNode schema, String at) {
    if (++depth > MAX_DEPTH) {
      throw new JsonSchemaException(
          at.substring(0, Math.min(200, at.length())), "the schema contains itself without end");
    }
    try {
      return valueHere(schema, at);
    } finally {
      depth--;
    }
  }

  private @Nullable GrammarExpr valueHere(JsonNode schema, String at) {
    if (schema.isBoolean()) {
      return schema.asBoolean() ? any() : null;
    }
    if (!schema.isObject()) {
      throw new JsonSchemaException(
          at, "expected a schema (an object, true or false), found " + schema);
    }
    if (++schemas > MAX_SCHEMAS) {
      throw new JsonSchemaException(at, "the schema is too large");
    }
    SchemaKeywords.requireSupported(schema, at);
    if (schema.has("$ref")) {
      return reference(schema, at);
    }
    if (schema.has("allOf")) {
      JsonNode all = without(schema, "allOf");
      int i = 0;
      for (JsonNode part : list(schema, "allOf", at)) {
        all = merger.merge(all, part, at + "/allOf/" + i++);
      }
      return value(all, at);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        return alternatives(schema, keyword, at);
      }
    }
    if (schema.has("const") || schema.has("enum")) {
      return constants(schema, at);
    }
    List<GrammarExpr> options = new ArrayList<>();
    for (String type : SchemaKeywords.types(schema, at)) {
      GrammarExpr option = typed(type, schema, at);
      if (option != null) {
        options.add(option);
      }
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  private static JsonNode without(JsonNode schema, String keyword) {
    ObjectNode rest = schema.deepCopy();
    rest.remove(keyword);
    return rest;
  }

  private static JsonNode list(JsonNode schema, String keyword, String at) {
    JsonNode list = schema.get(keyword);
    if (list == null || !list.isArray() || list.isEmpty()) {
      throw new JsonSchemaException(
          at + "/" + keyword, "expected a list of schemas, found " + list);
    }
    return list;
  }

  private @Nullable GrammarExpr reference(JsonNode schema, String at) {
    JsonNode target = merger.resolve(schema.path("$ref"), at);
    JsonNode whole = merger.deref(schema, at);
    if (whole != merger.deref(target, at)) {
      return value(whole, at); // merged with what stands beside the reference
    }
    String known = referenced.get(whole);
    if (known == null) {
      known = "ref-" + rules.size();
      referenced.put(whole, known);
      rules.put(known, GrammarExpr.EMPTY);
      rules.put(known, required(whole, schema.path("$ref").asText().substring(1)));
    }
    return GrammarExpr.ref(known);
  }

  private @Nullable GrammarExpr alternatives(JsonNode schema, String keyword, String at) {
    JsonNode rest = without(schema, keyword);
    List<JsonNode> branches = new ArrayList<>();
    List<GrammarExpr> options = new ArrayList<>();
    int i = 0;
    for (JsonNode branch : list(schema, keyword, at)) {
      String place = at + "/" + keyword + "/" + i++;
      boolean alone = rest.propertyStream().allMatch(e -> SchemaKeywords.isAnnotation(e.getKey()));
      JsonNode merged = alone ? branch : merger.merge(rest, branch, place);
      if (keyword.equals("oneOf")) {
        for (JsonNode other : branches) {
          if (!merger.areDisjoint(other, merged, place)) {
            throw new JsonSchemaException(
                place,
                "a value might be valid for this and for an alternative before it, which 'oneOf' forbids; tell them apart by type or by a required constant, or use 'anyOf'");
          }
        }
      }
      branches.add(merged);
      GrammarExpr option = value(merged, place);
      if (option != null) {
        options.add(option);
      }
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  /** The values under const and enum that the other keywords allow. */
  private @Nullable GrammarExpr constants(JsonNode schema, String at) {
    Set<JsonNode> values = new LinkedHashSet<>();
    if (schema.has("enum")) {
      if (!schema.path("enum").isArray()) {
        throw new JsonSchemaException(
            at + "/enum", "expected a list of values, found " + schema.path("enum"));
      }
      schema.path("enum").forEach(values::add);
    }
    if (schema.has("const")) {
      boolean listed = values.contains(schema.get("const"));
      boolean alone = !schema.has("enum");
      values.clear();
      if (alone || listed) {
        values.add(schema.path("const"));
      }
    }
    ObjectNode rest = schema.deepCopy();
    rest.remove(List.of("enum", "const"));
    rest.remove(
        rest.propertyStream().map(Map.Entry::getKey).filter(SchemaKeywords::isAnnotation).toList());
    List<GrammarExpr> options = new ArrayList<>();
    Grammar others =
        rest.isEmpty()
            ? null
            : new SchemaCompiler(withDefinitions(rest), new LinkedHashMap<>()).compileOrNull();
    for (JsonNode value : values) {
      String text = PythonJson.write(value);
      if (value.isFloatingPointNumber() && others != null && !others.matches(text)) {
        text = value.decimalValue().stripTrailingZeros().toPlainString(); // an integer to a schema
      }
      if (rest.isEmpty() || (others != null && others.matches(text))) {
        options.add(GrammarExpr.literal(text));
      }
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  private JsonNode withDefinitions(ObjectNode schema) {
    for (String key : List.of("$defs", "definitions")) {
      if (root.has(key)) {
        schema.set(key, root.get(key));
      }
    }
    return schema;
  }

  private @Nullable Grammar compileOrNull() {
    return value(root, "") == null ? null : compile();
  }

  private @Nullable GrammarExpr typed(String type, JsonNode schema, String at) {
    return switch (type) {
      case "null" -> GrammarExpr.literal("null");
      case "boolean" ->
          GrammarExpr.choice(List.of(GrammarExpr.literal("true"), GrammarExpr.literal("false")));
      case "integer", "number" -> {
        var low = SchemaKeywords.bound(schema, "minimum", "exclusiveMinimum", true, at);
        var high = SchemaKeywords.bound(schema, "maximum", "exclusiveMaximum", false, at);
        boolean whole = type.equals("integer") || schema.has("multipleOf");
        yield whole ? NumberRanges.integers(low, high) : NumberRanges.numbers(low, high);
      }
      case "string" -> {
        GrammarExpr strings = SchemaStrings.of(schema, at);
        yield strings == null ? null : JsonText.string(JsonText.encoded(strings));
      }
      case "array" -> array(schema, at);
      default -> {
        GrammarExpr object = objects.compile(schema, at);
        yield object == null ? null : rule(object);
      }
    };
  }

  private @Nullable GrammarExpr array(JsonNode schema, String at) {
    int min = SchemaKeywords.count(schema, "minItems", at, 0);
    int max = SchemaKeywords.count(schema, "maxItems", at, GrammarExpr.UNLIMITED);
    if (min > max) {
      return null;
    }
    JsonNode first = schema.path("prefixItems");
    JsonNode items = schema.path("items");
    if (items.isArray()) {
      throw new JsonSchemaException(
          at + "/items", "a list of schemas was renamed to 'prefixItems' in draft 2020-12");
    }
    if (first.isMissingNode()) {
      GrammarExpr item = items.isMissingNode() ? any() : value(items, at + "/items");
      return rule(
          item != null
              ? JsonText.array(item, min, max)
              : JsonText.array(GrammarExpr.EMPTY, 0, 0)); // items: false
    }
    return tuple(schema, at, min, max, items);
  }

  /**
   * An array whose first items have schemas of their own. All of them come unless minItems says
   * that fewer may, and no others unless minItems or items ask for them.
   */
  private GrammarExpr tuple(JsonNode schema, String at, int min, int max, JsonNode items) {
    List<GrammarExpr> parts = new ArrayList<>();
    int i = 0;
    for (JsonNode item : list(schema, "prefixItems", at)) {
      if (i == max) {
        break;
      }
      parts.add(required(item, at + "/prefixItems/" + i++));
    }
    int n = parts.size();
    int least = schema.has("minItems") ? min : n;
    GrammarExpr comma = GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE);
    GrammarExpr rest = GrammarExpr.EMPTY;
    int more = Math.max(0, least - n);
    boolean open = !items.isMissingNode() || more > 0;
    GrammarExpr other = !open ? null : items.isMissingNode() ? any() : value(items, at + "/items");
    if (other != null) {
      int most = max == GrammarExpr.UNLIMITED ? max : max - n;
      rest =
          new GrammarExpr.Repeat(
              GrammarExpr.sequence(comma, other), more, items.isMissingNode() ? more : most);
    }
    for (int k = n - 1; k >= 0; k--) {
      rest = GrammarExpr.sequence(k == 0 ? GrammarExpr.EMPTY : comma, parts.get(k), rest);
      if (k >= least) {
        rest = GrammarExpr.optional(rest);
      }
    }
    return rule(
        GrammarExpr.sequence(
            GrammarExpr.literal("["),
            JsonText.SPACE,
            rest,
            JsonText.SPACE,
            GrammarExpr.literal("]")));
  }
}
