package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Grammars of the JSON texts that a JSON schema allows. docs/constraints.md states which part of
 * draft 2020-12 is supported.
 */
public final class JsonSchemaGrammar {
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(100).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          // 1.0 stays a float: as a constant it is written so
          .configure(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES, false);

  private JsonSchemaGrammar() {}

  /**
   * The grammar of a schema.
   *
   * @throws JsonSchemaException if the schema is not valid JSON, allows no value, or asks for more
   *     than is supported; it names the place as a JSON pointer
   */
  public static Grammar of(String schema) {
    return SchemaCompiler.compile(read(schema));
  }

  /**
   * Adds what a schema needs to the rules of a larger grammar.
   *
   * @return the values that the schema allows
   * @throws JsonSchemaException as {@link #of}
   */
  public static GrammarExpr addTo(Map<String, GrammarExpr> rules, String schema) {
    return SchemaCompiler.add(read(schema), rules);
  }

  /**
   * The strings that a schema allows by length, pattern and format, as characters: without quotes
   * and escapes. Its other keywords are left out.
   *
   * @return null if no string is valid
   * @throws JsonSchemaException as {@link #of}
   */
  public static @Nullable GrammarExpr strings(String schema) {
    return SchemaStrings.of(read(schema), "");
  }

  /** Whether a keyword says nothing about which values are valid. */
  public static boolean isAnnotation(String keyword) {
    return SchemaKeywords.isAnnotation(keyword);
  }

  private static JsonNode read(String schema) {
    try {
      return MAPPER.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new JsonSchemaException("", "not valid JSON: " + e.getOriginalMessage(), e);
    }
  }
}
