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
    String pattern = pattern(schema, at);
    String place = at + "/pattern";
    String format = StringFormats.pattern(schema.path("format"));
    if (format != null) {
      if (pattern != null) {
        throw new JsonSchemaException(at + "/format", "not supported beside 'pattern'");
      }
      place = at + "/format";
      pattern = format;
    }
    if (pattern == null) {
      return new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ANY), min, max);
    }
    try {
      GrammarExpr all = RegexPattern.parse(pattern);
      if (!StringLengths.overlap(all, min, max)) {
        return null;
      }
      GrammarExpr strings = StringLengths.limit(all, min, max);
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

  /** The text of {@code pattern}; null if there is none. */
  static @Nullable String pattern(JsonNode schema, String at) {
    JsonNode pattern = schema.get("pattern");
    if (pattern != null && !pattern.isTextual()) {
      throw new JsonSchemaException(
          at + "/pattern", "expected a regular expression, found " + pattern);
    }
    return pattern == null ? null : pattern.asText();
  }
}
