package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Tells alternatives apart, of which only one may be valid. */
final class SchemaDisjointness {
  private static final int MAX_DEPTH = 32;

  private final SchemaMerger merger;
  private final SchemaValidator validator;
  private final boolean wide;
  private int depth;

  /**
   * @param wide whether schemas without a type are written with values of all types
   */
  SchemaDisjointness(SchemaMerger merger, SchemaValidator validator, boolean wide) {
    this.merger = merger;
    this.validator = validator;
    this.wide = wide;
  }

  /**
   * Whether no value that is written for one schema is valid for another. False if that cannot be
   * told.
   */
  boolean isNeverValid(JsonNode written, JsonNode other, String at) {
    if (++depth > MAX_DEPTH) {
      depth--;
      return false;
    }
    try {
      return isNeverValidHere(merger.flat(written, at), merger.flat(other, at), at);
    } finally {
      depth--;
    }
  }

  private boolean isNeverValidHere(JsonNode a, JsonNode b, String at) {
    if (SchemaKeywords.isFalse(a) || SchemaKeywords.isFalse(b)) {
      return true;
    }
    if (b.isBoolean()) {
      return false;
    }
    List<JsonNode> mine = values(a);
    if (mine != null) { // whatever types the keywords beside them are about
      return mine.stream()
          .noneMatch(v -> validator.isValid(v, b, at) && validator.isValid(v, a, at));
    }
    List<JsonNode> others = values(b);
    if (others != null && others.stream().noneMatch(v -> validator.isValid(v, a, at))) {
      return true;
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (a.has(keyword)) {
        JsonNode rest = SchemaMerger.without(a, keyword);
        return alternatives(a, keyword)
            .allMatch(o -> isNeverValid(merger.mergeInto(rest, o, at), b, at));
      }
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (b.has(keyword) && alternatives(b, keyword).allMatch(o -> isNeverValid(a, o, at))) {
        return true;
      }
    }
    return a.isObject() && differ(a, b, at);
  }

  private static Stream<JsonNode> alternatives(JsonNode schema, String keyword) {
    return schema.path(keyword).valueStream();
  }

  private static @Nullable List<JsonNode> values(JsonNode schema) {
    return schema.has("const")
        ? List.of(schema.path("const"))
        : schema.has("enum") ? schema.path("enum").valueStream().toList() : null;
  }

  /** Whether two schemas without alternatives differ in each type that they share. */
  private boolean differ(JsonNode a, JsonNode b, String at) {
    Set<String> types =
        widened(wide ? SchemaKeywords.declaredTypes(a, at) : SchemaKeywords.types(a, at));
    types.retainAll(widened(SchemaKeywords.declaredTypes(b, at)));
    return types.stream()
        .allMatch(type ->
            switch (type) {
              case "object" -> objectsDiffer(a, b, at);
              case "array" -> countsDiffer(a, b, "minItems", "maxItems", at);
              case "string" -> countsDiffer(a, b, "minLength", "maxLength", at);
              case "number" -> isBelow(a, b, at) || isBelow(b, a, at);
              default -> false;
            });
  }

  /** Types of which no two share a value. */
  private static Set<String> widened(Set<String> types) {
    Set<String> wide = new LinkedHashSet<>(types);
    if (wide.remove("integer")) {
      wide.add("number");
    }
    return wide;
  }

  private static boolean countsDiffer(JsonNode a, JsonNode b, String min, String max, String at) {
    int unlimited = GrammarExpr.UNLIMITED;
    return SchemaKeywords.count(a, max, at, unlimited) < SchemaKeywords.count(b, min, at, 0)
        || SchemaKeywords.count(b, max, at, unlimited) < SchemaKeywords.count(a, min, at, 0);
  }

  private static boolean isBelow(JsonNode a, JsonNode b, String at) {
    NumberRanges.Bound high = SchemaKeywords.upper(a, at);
    NumberRanges.Bound low = SchemaKeywords.lower(b, at);
    if (high == null || low == null) {
      return false;
    }
    int order = high.value().compareTo(low.value());
    return order < 0 || (order == 0 && !(high.inclusive() && low.inclusive()));
  }

  private boolean objectsDiffer(JsonNode a, JsonNode b, String at) {
    Set<String> mine = SchemaKeywords.required(a, at);
    if (!wide
        && !SchemaKeywords.isOpen(a)
        && SchemaKeywords.count(a, "minProperties", at, 0) == 0) {
      for (String name : SchemaKeywords.required(b, at)) {
        if (!mine.contains(name) && !a.path("properties").has(name)) {
          return true; // which no object has that is written for a
        }
      }
    }
    return mine.stream()
            .anyMatch(name ->
                isNeverValid(
                    SchemaKeywords.property(a, name), SchemaKeywords.property(b, name), at))
        || countsDiffer(a, b, "minProperties", "maxProperties", at);
  }
}
