package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.List;

/** Expressions of JSON arrays. */
final class SchemaArrays {
  private final SchemaCompiler compiler;
  private final FiniteValues finite;

  SchemaArrays(SchemaCompiler compiler, FiniteValues finite) {
    this.compiler = compiler;
    this.finite = finite;
  }

  /** The arrays that a schema allows. */
  GrammarExpr compile(JsonNode schema, String at) {
    int min = SchemaKeywords.count(schema, "minItems", at, 0);
    int max = SchemaKeywords.count(schema, "maxItems", at, GrammarExpr.UNLIMITED);
    if (min > max) {
      return compiler.nothing(at, "minItems is more than maxItems");
    }
    if (schema.path("items").isArray()) {
      throw new JsonSchemaException(
          at + "/items", "a list of schemas was renamed to 'prefixItems' in draft 2020-12");
    }
    if (schema.path("uniqueItems").asBoolean() && max > 1) {
      return unique(schema, at, min, max);
    }
    return schema.has("prefixItems")
        ? tuple(schema, at, min, max)
        : JsonText.array(item(schema, at), min, max);
  }

  /** An item behind those of prefixItems. */
  private GrammarExpr item(JsonNode schema, String at) {
    return compiler.value(SchemaKeywords.items(schema), at + "/items");
  }

  /** Different items can be promised where there are few: they come in the order of the schema. */
  private GrammarExpr unique(JsonNode schema, String at, int min, int max) {
    List<JsonNode> values =
        schema.has("prefixItems") ? null : finite.of(SchemaKeywords.items(schema), at + "/items");
    if (values == null) {
      throw new JsonSchemaException(
          at + "/uniqueItems",
          "'uniqueItems' is not supported but for items of which the schema lists all values, such as an enum");
    }
    List<OrderedItems.Item> items = new ArrayList<>();
    values.forEach(value -> items.add(new OrderedItems.Item(JsonText.literal(value), false)));
    GrammarExpr none =
        compiler.nothing(
            at,
            "uniqueItems asks for %d different items, and there are %d"
                .formatted(min, values.size()));
    var ordered = new OrderedItems(items, null, min, max, none, none, compiler::rule);
    if (min > values.size()) {
      return none;
    }
    if (!ordered.isSmall()) {
      throw new JsonSchemaException(at + "/uniqueItems", "so many items cannot be told apart");
    }
    return brackets(ordered.expr());
  }

  /**
   * An array whose first items have schemas of their own. All of them come unless minItems says
   * that fewer may, and no others unless minItems or items ask for them.
   */
  private GrammarExpr tuple(JsonNode schema, String at, int min, int max) {
    JsonNode first = SchemaCompiler.list(schema, "prefixItems", at);
    int n = Math.min(first.size(), max);
    int required = schema.has("minItems") || compiler.isWide() ? min : n;
    GrammarExpr comma = GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE);
    GrammarExpr rest = others(schema, at, comma, Math.max(0, required - n), max - n);
    for (int k = n - 1; k >= 0; k--) {
      GrammarExpr item = compiler.value(first.get(k), at + "/prefixItems/" + k);
      rest = GrammarExpr.sequence(k == 0 ? GrammarExpr.EMPTY : comma, item, rest);
      if (k >= required) {
        rest = GrammarExpr.optional(rest);
      }
    }
    return brackets(rest);
  }

  private GrammarExpr others(JsonNode schema, String at, GrammarExpr comma, int min, int room) {
    boolean open = schema.has("items");
    if (!open && min == 0) {
      return GrammarExpr.EMPTY;
    }
    int repetitions = !open ? min : room > GrammarExpr.UNLIMITED / 2 ? GrammarExpr.UNLIMITED : room;
    return new GrammarExpr.Repeat(GrammarExpr.sequence(comma, item(schema, at)), min, repetitions);
  }

  private static GrammarExpr brackets(GrammarExpr content) {
    return GrammarExpr.sequence(
        GrammarExpr.literal("["),
        JsonText.SPACE,
        content,
        JsonText.SPACE,
        GrammarExpr.literal("]"));
  }
}
