package dev.ocellus.vlm.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import dev.ocellus.vlm.grammar.Grammar;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Schemas by chance beside an independent validator: every text that a grammar allows is valid; a
 * schema for which there is said to be no value has none among many candidates; and where a schema
 * leaves nothing to choose, the grammar allows every candidate that is valid, in some order.
 *
 * <p>{@code -Docellus.schemas=N} looks at more of them, {@code -Docellus.seed=N} at others.
 */
class SchemaDifferentialTest {
  private static final int SCHEMAS = Integer.getInteger("ocellus.schemas", 400);
  private static final long SEED = Long.getLong("ocellus.seed", 1);
  private static final int TEXTS = 8;
  private static final int INSTANCES = 30;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();
  private static final JsonSchemaFactory VALIDATORS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

  private enum Outcome {
    GRAMMAR,
    NO_VALUE,
    NOT_SUPPORTED,
    /** The validator follows a schema that refers to itself without end. */
    ENDLESS
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void grammarsAgreeWithAnIndependentValidator(boolean explicit) throws Exception {
    Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
    List<String> faults = new ArrayList<>();
    for (int i = 0; i < SCHEMAS; i++) {
      var random = new SplittableRandom(SEED * 1_000_003 + i);
      JsonNode schema = MAPPER.readTree(new RandomSchemas(random, explicit).next().toString());
      try {
        counts.merge(check(schema, random, explicit, faults), 1, Integer::sum);
      } catch (StackOverflowError | com.networknt.schema.JsonSchemaException e) {
        assertThat(e).hasStackTraceContaining("com.networknt"); // a schema that refers to itself
        counts.merge(Outcome.ENDLESS, 1, Integer::sum);
      }
    }
    System.getLogger("dev.ocellus.vlm.grammar.schema")
        .log(System.Logger.Level.INFO, "{0} schemas, explicit {1}: {2}", SCHEMAS, explicit, counts);
    assertThat(faults).isEmpty();
    for (Outcome outcome : List.of(Outcome.GRAMMAR, Outcome.NO_VALUE, Outcome.NOT_SUPPORTED)) {
      assertThat(counts.get(outcome)).as("%s", outcome).isGreaterThan(SCHEMAS / 50);
    }
  }

  private static Outcome check(
      JsonNode schema, SplittableRandom random, boolean explicit, List<String> faults)
      throws Exception {
    JsonSchema validator = VALIDATORS.getSchema(schema);
    List<JsonNode> valid = new ArrayList<>();
    var instances = new RandomInstances(schema, random);
    for (int i = 0; i < INSTANCES; i++) {
      JsonNode instance = MAPPER.readTree(instances.next().toString());
      boolean isValid = isValid(validator, instance);
      if (isValid) {
        valid.add(instance);
      }
      if (!schema.toString().contains("unevaluated")
          && isValid != isValid(schema, instance, isValid)) {
        faults.add("judged otherwise: " + schema + ": " + instance + ": " + isValid);
      }
    }
    Grammar grammar;
    try {
      grammar = JsonSchemaGrammar.of(schema.toString());
    } catch (JsonSchemaException e) {
      boolean none = String.valueOf(e.getMessage()).contains("value is valid");
      if (none && !valid.isEmpty()) {
        faults.add("refused: " + schema + ": " + e.getMessage() + ": " + valid.getFirst());
      }
      return none ? Outcome.NO_VALUE : Outcome.NOT_SUPPORTED;
    }
    for (int i = 0; i < TEXTS; i++) {
      String text = RandomTexts.of(grammar, random, i == 0 ? 0 : 50);
      Set<ValidationMessage> errors = errors(validator, MAPPER.readTree(text));
      if (!errors.isEmpty()) {
        faults.add("not valid: " + schema + ": " + text + ": " + errors);
      }
    }
    if (explicit && !schema.toString().contains("uniqueItems")) {
      for (JsonNode instance : valid) {
        boolean escaped = instance.toString().contains("\\\""); // not in additional names
        if (!escaped && Orders.of(instance).noneMatch(grammar::matches)) {
          faults.add("not allowed: " + schema + ": " + instance);
        }
      }
    }
    return Outcome.GRAMMAR;
  }

  /** Our own judgement, which chooses among the values of enum and const. */
  private static boolean isValid(JsonNode schema, JsonNode value, boolean defaultValue) {
    try {
      return new SchemaValidator(new SchemaMerger(schema)).isValid(value, schema, "");
    } catch (JsonSchemaException e) { // not supported
      return defaultValue;
    }
  }

  private static boolean isValid(JsonSchema validator, JsonNode value) {
    return errors(validator, value).isEmpty();
  }

  private static Set<ValidationMessage> errors(JsonSchema validator, JsonNode value) {
    return validator.validate(
        value,
        (ExecutionContext context) ->
            context.getExecutionConfig().setFormatAssertionsEnabled(true));
  }
}
