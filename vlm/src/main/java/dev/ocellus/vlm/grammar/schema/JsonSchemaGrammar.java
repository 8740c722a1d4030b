package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
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

  /** What OpenAI writes beside a schema. */
  private static final Set<String> WRAPPER =
      Set.of("type", "name", "description", "schema", "strict");

  private JsonSchemaGrammar() {}

  /**
   * The grammar of a schema, which may stand in the object that OpenAI's API takes: {@code {"name":
   * …, "schema": …, "strict": …}}, also under {@code json_schema} beside the type of that name.
   *
   * @throws JsonSchemaException if the schema is not valid JSON, allows no value, or asks for more
   *     than is supported; it names the place as a JSON pointer
   */
  public static Grammar of(String schema) {
    Map<String, GrammarExpr> rules = new LinkedHashMap<>();
    rules.put(Grammar.ROOT, addTo(rules, schema));
    try {
      return Grammar.of(rules);
    } catch (GrammarException e) {
      throw new JsonSchemaException("", "no grammar can be made of it: " + e.getMessage(), e);
    }
  }

  /**
   * Adds what a schema needs to the rules of a larger grammar.
   *
   * @return the values that the schema allows
   * @throws JsonSchemaException as {@link #of}
   */
  public static GrammarExpr addTo(Map<String, GrammarExpr> rules, String schema) {
    return SchemaCompiler.compile(read(schema), "json-" + rules.size(), rules);
  }

  /**
   * Whether any finite value is valid for a schema.
   *
   * @throws JsonSchemaException if the schema is not valid JSON, or asks for more than is supported
   */
  public static boolean isPossible(String schema) {
    return SchemaCompiler.isPossible(read(schema));
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
    try (var parser = new SignedZeros(MAPPER.createParser(schema))) {
      JsonNode node = MAPPER.readTree(parser);
      return unwrapped(node == null ? MissingNode.getInstance() : node);
    } catch (JsonProcessingException e) {
      throw new JsonSchemaException("", "not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a string is read
    }
  }

  /** What stands around the schema in OpenAI's {@code response_format} is taken away. */
  private static JsonNode unwrapped(JsonNode node) {
    if (node.size() == 1 && node.path("response_format").isObject()) {
      return unwrapped(node.get("response_format"));
    }
    boolean named = node.path("type").asText().equals("json_schema") && !node.has("schema");
    if (named || (node.size() == 1 && node.has("json_schema"))) {
      JsonNode inner = node.path("json_schema");
      if (!inner.isObject() || inner.isEmpty()) {
        throw noSchema("/json_schema", inner);
      }
      return unwrapped(inner);
    }
    if (isFunction(node)) {
      throw new JsonSchemaException(
          "/parameters",
          "this is the definition of a function; give its parameters as the schema, or the function"
              + " as a tool");
    }
    if (!isWrapper(node)) {
      return node;
    }
    if (!node.path("schema").isObject()) {
      throw noSchema("/schema", node.path("schema"));
    }
    return node.get("schema");
  }

  private static boolean isWrapper(JsonNode node) {
    boolean says = node.has("schema") || (node.path("name").isTextual() && !node.has("type"));
    return says && node.propertyStream().map(Map.Entry::getKey).allMatch(WRAPPER::contains);
  }

  private static boolean isFunction(JsonNode node) {
    return node.path("name").isTextual()
        && node.path("parameters").isObject()
        && !node.has("type")
        && !node.has("properties");
  }

  /** A wrapper without a schema would allow any JSON, which nobody asks for so. */
  private static JsonSchemaException noSchema(String at, JsonNode found) {
    return new JsonSchemaException(
        at,
        "expected an object with the schema, found %s; OpenAI's form is {\"name\": …, \"schema\": {…}, \"strict\": true}"
            .formatted(
                found.isMissingNode() ? "nothing" : found.isObject() ? "an empty one" : found));
  }
}
