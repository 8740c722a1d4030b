package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import org.jspecify.annotations.Nullable;

/** The strings that a schema allows, as they are, without quotes and escapes. */
final class SchemaStrings {
  private SchemaStrings() {}

  /** By length, pattern and format; null if no string is valid. */
  static @Nullable GrammarExpr of(JsonNode schema, String at) {
    int min = SchemaKeywords.count(schema, "minLength", at, 0);
    int max = SchemaKeywords.count(schema, "maxLength", at, GrammarExpr.UNLIMITED);
    if (min > max) {
      return null;
    }
    String pattern = schema.has("pattern") ? schema.get("pattern").asText() : null;
    String place = at + "/pattern";
    if (schema.has("format")) {
      if (pattern != null) {
        throw new JsonSchemaException(at + "/format", "not supported beside 'pattern'");
      }
      place = at + "/format";
      String format = StringFormats.PATTERNS.get(schema.get("format").asText());
      if (format == null) {
        throw new JsonSchemaException(
            place,
            "expected one of %s, found %s"
                .formatted(
                    StringFormats.PATTERNS.keySet().stream().sorted().toList(),
                    schema.get("format")));
      }
      pattern = "^(?:" + format + ")$";
    }
    if (pattern == null) {
      return new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ANY), min, max);
    }
    try {
      GrammarExpr strings = StringLengths.limit(RegexPattern.parse(pattern), min, max);
      if (strings == null) {
        throw new JsonSchemaException(
            place,
            "minLength and maxLength are supported beside a pattern only where at most one part of it has a variable length, of single characters");
      }
      return strings;
    } catch (IllegalArgumentException e) {
      throw new JsonSchemaException(place, String.valueOf(e.getMessage()), e);
    }
  }
}
