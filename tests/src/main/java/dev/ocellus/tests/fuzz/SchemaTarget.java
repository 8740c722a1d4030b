package dev.ocellus.tests.fuzz;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;

/** Makes grammars of JSON schemas, and writes texts that they allow, which must be JSON. */
final class SchemaTarget extends SourceTarget {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> WORDS =
      List.of(
          "\"type\"",
          "\"object\"",
          "\"$ref\"",
          "\"#\"",
          "\"#/$defs/a\"",
          "\"anyOf\"",
          "\"allOf\"",
          "\"not\"",
          "\"minItems\"",
          "\"pattern\"",
          "\"^(a+)+$\"",
          "\"[a-z]{1000}\"",
          "\"format\"",
          "true",
          "false",
          "null",
          "1e400",
          "-0.0",
          "100000000000000000000");

  SchemaTarget() {
    super("schema", ".schema.json", FuzzTexts.SCHEMAS, WORDS);
  }

  @Override
  void run(String source, SplittableRandom random) throws IOException {
    Grammar grammar = JsonSchemaGrammar.of(source);
    for (int i = 0; i < 3; i++) {
      String text = FuzzTexts.allowedBy(grammar, random, 25 * i);
      GeneratedTarget.require(grammar.matches(text), "its own text is not allowed: " + text);
      try {
        JSON.readTree(text);
      } catch (IOException e) {
        throw new IllegalStateException("allowed, and no JSON: " + text, e);
      }
    }
  }
}
