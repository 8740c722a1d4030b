package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.UsefulRules;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes a grammar of the JSON texts that a schema allows. */
final class SchemaCompiler {
  /** Schemas looked at, counted again wherever one is merged with others. */
  private static final int MAX_SCHEMAS = 50_000;

  /** Schemas inside each other; JSON itself nests less deep. */
  private static final int MAX_DEPTH = 250;

  private static final String UNSUPPORTED = "-unsupported";

  private final JsonNode root;
  private final String names;
  private final boolean wide;
  private final SchemaMerger merger;
  private final SchemaValidator validator;
  private final SchemaDisjointness disjointness;
  private final SchemaObjects objects = new SchemaObjects(this);
  private final SchemaArrays arrays;
  private final Map<String, GrammarExpr> rules = new LinkedHashMap<>();
  private final Map<JsonNode, String> referenced = new HashMap<>();

  /** Why there is no value, by the expression that stands for it. */
  private final Map<GrammarExpr, JsonSchemaException> impossible = new IdentityHashMap<>();

  private @Nullable JsonSchemaException unsupported;
  private int schemas;
  private int depth;

  private SchemaCompiler(JsonNode root, String names, boolean wide) {
    this.root = root;
    this.names = names;
    this.wide = wide;
    this.merger = new SchemaMerger(root);
    this.validator = new SchemaValidator(merger);
    this.disjointness = new SchemaDisjointness(merger, validator, wide);
    this.arrays = new SchemaArrays(this, new FiniteValues(merger, validator));
  }

  /**
   * The values that a schema allows. Written are the likely ones: those of the types that its
   * keywords are about, and whole tuples; only if there are none, all others.
   *
   * @param names what the names of rules begin with
   * @param rules where those are added that the values need
   */
  static GrammarExpr compile(JsonNode schema, String names, Map<String, GrammarExpr> rules) {
    GrammarExpr likely = new SchemaCompiler(schema, names, false).compileInto(rules);
    if (likely != null) {
      return likely;
    }
    var wide = new SchemaCompiler(schema, names, true);
    GrammarExpr values = wide.compileInto(rules);
    if (values == null) {
      throw wide.whyImpossible();
    }
    return values;
  }

  /** Whether any finite value is valid. */
  static boolean isPossible(JsonNode schema) {
    Map<String, GrammarExpr> rules = new LinkedHashMap<>();
    return new SchemaCompiler(schema, "json", false).compileInto(rules) != null
        || new SchemaCompiler(schema, "json", true).compileInto(rules) != null;
  }

  /** Null if no value is valid. */
  private @Nullable GrammarExpr compileInto(Map<String, GrammarExpr> all) {
    rules.put(names, value(root, ""));
    var useful = new UsefulRules(rules);
    GrammarExpr start = GrammarExpr.ref(names);
    if (!useful.isProductive(start)) {
      return null;
    }
    all.putAll(useful.neededBy(start));
    return start;
  }

  private JsonSchemaException whyImpossible() {
    if (unsupported != null && wouldBePossible()) {
      return unsupported;
    }
    GrammarExpr obstacle = new UsefulRules(rules).obstacle(GrammarExpr.ref(names));
    JsonSchemaException why = impossible.get(obstacle);
    return why != null
        ? why
        : new JsonSchemaException("", "no finite value is valid, as the schema requires itself");
  }

  private boolean wouldBePossible() {
    Map<String, GrammarExpr> supported = new LinkedHashMap<>(rules);
    supported.put(names + UNSUPPORTED, GrammarExpr.EMPTY);
    return new UsefulRules(supported).isProductive(GrammarExpr.ref(names));
  }

  /** Stands where values are valid, but cannot be written; it matters if there are no others. */
  GrammarExpr unsupported(JsonSchemaException why) {
    unsupported = unsupported == null ? why : unsupported;
    rules.put(names + UNSUPPORTED, new GrammarExpr.Choice(List.of()));
    return GrammarExpr.ref(names + UNSUPPORTED);
  }

  /** Stands where no value is valid. */
  GrammarExpr nothing(String at, String why) {
    GrammarExpr nothing = new GrammarExpr.Choice(List.of());
    impossible.put(nothing, new JsonSchemaException(at, "no value is valid here: " + why));
    return nothing;
  }

  /** Whether values are written that the schema is not about, as there are no others. */
  boolean isWide() {
    return wide;
  }

  /** An expression as a rule of its own. */
  GrammarExpr rule(GrammarExpr expr) {
    String name = names + "-" + rules.size();
    rules.put(name, expr);
    return GrammarExpr.ref(name);
  }

  /** Any JSON value. */
  GrammarExpr any() {
    String any = names + "-any";
    if (!rules.containsKey(any)) {
      GrammarExpr string =
          JsonText.string(new GrammarExpr.Repeat(JsonText.CHAR, 0, GrammarExpr.UNLIMITED));
      GrammarExpr pair =
          GrammarExpr.sequence(
              string, GrammarExpr.literal(":"), JsonText.SPACE, GrammarExpr.ref(any));
      GrammarExpr more = GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE, pair);
      GrammarExpr pairs =
          GrammarExpr.sequence(
              pair, new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED), JsonText.SPACE);
      rules.put(
          any,
          new GrammarExpr.Choice(
              List.of(
                  GrammarExpr.sequence(
                      GrammarExpr.literal("{"),
                      JsonText.SPACE,
                      GrammarExpr.optional(pairs),
                      GrammarExpr.literal("}")),
                  JsonText.array(GrammarExpr.ref(any), 0, GrammarExpr.UNLIMITED),
                  string,
                  NumberRanges.NUMBER,
                  GrammarExpr.literal("true"),
                  GrammarExpr.literal("false"),
                  GrammarExpr.literal("null"))));
    }
    return GrammarExpr.ref(any);
  }

  /** The values that a schema allows. */
  GrammarExpr value(JsonNode schema, String at) {
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

  private GrammarExpr valueHere(JsonNode schema, String at) {
    if (schema.isBoolean()) {
      return schema.asBoolean() ? any() : nothing(at, "the schema is false");
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
      JsonNode all = SchemaMerger.without(schema, "allOf");
      int i = 0;
      for (JsonNode part : list(schema, "allOf", at)) {
        all = merger.mergeInto(all, part, at + "/allOf/" + i++);
      }
      return value(all, at);
    }
    if (schema.has("anyOf")) {
      return anyOf(schema, at);
    }
    if (schema.has("oneOf")) {
      return oneOf(schema, at);
    }
    if (schema.has("const") || schema.has("enum")) {
      return constants(schema, at);
    }
    List<GrammarExpr> options = new ArrayList<>();
    for (String type :
        wide ? SchemaKeywords.declaredTypes(schema, at) : SchemaKeywords.types(schema, at)) {
      options.add(typed(type, schema, at));
    }
    return options.isEmpty() ? nothing(at, "no type is left") : GrammarExpr.choice(options);
  }

  /** The schemas under a keyword. */
  static JsonNode list(JsonNode schema, String keyword, String at) {
    JsonNode list = schema.get(keyword);
    if (list == null || !list.isArray() || list.isEmpty()) {
      throw new JsonSchemaException(
          at + "/" + keyword, "expected a list of schemas, found " + list);
    }
    return list;
  }

  private GrammarExpr reference(JsonNode schema, String at) {
    JsonNode target = merger.resolve(schema.path("$ref"), at);
    JsonNode whole = merger.deref(schema, at);
    if (whole != merger.deref(target, at)) {
      return value(whole, at); // merged with what stands beside the reference
    }
    String known = referenced.get(whole);
    if (known == null) {
      known = names + "-ref-" + rules.size();
      referenced.put(whole, known);
      rules.put(known, GrammarExpr.EMPTY);
      rules.put(known, value(whole, schema.path("$ref").asText().substring(1)));
    }
    return GrammarExpr.ref(known);
  }

  private GrammarExpr anyOf(JsonNode schema, String at) {
    List<JsonNode> merged = alternatives(schema, "anyOf", at);
    List<GrammarExpr> options = new ArrayList<>();
    for (int i = 0; i < merged.size(); i++) {
      options.add(value(merged.get(i), at + "/anyOf/" + i));
    }
    return GrammarExpr.choice(options);
  }

  /** Alternatives of which one may be valid and no other, whichever way it stands by itself. */
  private GrammarExpr oneOf(JsonNode schema, String at) {
    List<JsonNode> merged = alternatives(schema, "oneOf", at);
    List<GrammarExpr> options = new ArrayList<>();
    for (int i = 0; i < merged.size(); i++) {
      String place = at + "/oneOf/" + i;
      for (int k = 0; k < merged.size(); k++) {
        if (i != k
            && !disjointness.isNeverValid(merged.get(i), schema.path("oneOf").get(k), place)) {
          throw new JsonSchemaException(
              at + "/oneOf/" + Math.max(i, k),
              "a value might be valid for this and for another alternative, which 'oneOf' forbids; tell them apart by type, by bounds or by a required constant, or use 'anyOf'");
        }
      }
      options.add(value(merged.get(i), place));
    }
    return GrammarExpr.choice(options);
  }

  /** The alternatives, each merged with what stands beside them. */
  private List<JsonNode> alternatives(JsonNode schema, String keyword, String at) {
    JsonNode rest = SchemaMerger.without(schema, keyword);
    boolean alone = SchemaMerger.isOnlyAnnotations(rest);
    List<JsonNode> merged = new ArrayList<>();
    for (JsonNode option : list(schema, keyword, at)) {
      String place = at + "/" + keyword + "/" + merged.size();
      merged.add(alone ? option : merger.mergeInto(rest, option, place));
    }
    return merged;
  }

  /** The values under const or enum that the other keywords allow. */
  private GrammarExpr constants(JsonNode schema, String at) {
    JsonNode listed = schema.path("enum");
    if (schema.has("enum") && !listed.isArray()) {
      throw new JsonSchemaException(at + "/enum", "expected a list of values, found " + listed);
    }
    List<JsonNode> values =
        schema.has("const") ? List.of(schema.path("const")) : listed.valueStream().toList();
    List<GrammarExpr> options = new ArrayList<>();
    for (JsonNode value : values) {
      if (validator.isValid(value, schema, at)) {
        options.add(GrammarExpr.literal(text(value, schema)));
      }
    }
    return options.isEmpty()
        ? nothing(at, "the keywords beside 'enum' or 'const' leave none of its values")
        : GrammarExpr.choice(options);
  }

  /** A constant as it is written; 1.0 is an integer to a schema that asks for one. */
  private static String text(JsonNode value, JsonNode schema) {
    boolean integer = schema.path("type").asText().equals("integer");
    return integer && value.isFloatingPointNumber() && Double.isFinite(value.doubleValue())
        ? value.decimalValue().toBigInteger().toString()
        : PythonJson.write(value);
  }

  private GrammarExpr typed(String type, JsonNode schema, String at) {
    return switch (type) {
      case "null" -> GrammarExpr.literal("null");
      case "boolean" ->
          GrammarExpr.choice(List.of(GrammarExpr.literal("true"), GrammarExpr.literal("false")));
      case "integer", "number" -> {
        NumberRanges.Bound low = SchemaKeywords.lower(schema, at);
        NumberRanges.Bound high = SchemaKeywords.upper(schema, at);
        boolean whole = type.equals("integer") || schema.has("multipleOf");
        GrammarExpr numbers =
            whole ? NumberRanges.integers(low, high) : NumberRanges.numbers(low, high);
        yield numbers == null ? nothing(at, "no " + type + " lies between the bounds") : numbers;
      }
      case "string" -> {
        GrammarExpr strings = SchemaStrings.of(schema, at);
        yield strings == null
            ? nothing(at, "no string has the lengths that minLength and maxLength ask for")
            : JsonText.string(JsonText.encoded(strings));
      }
      case "array" -> rule(arrays.compile(schema, at));
      default -> rule(objects.compile(schema, at));
    };
  }
}
