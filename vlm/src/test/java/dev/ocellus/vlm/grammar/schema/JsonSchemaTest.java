package dev.ocellus.vlm.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import dev.ocellus.vlm.grammar.Grammar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts that a schema's grammar allows, made by chance, must be valid for an independent validator;
 * the listed instances must be allowed when that validator finds them valid, and refused when not.
 */
class JsonSchemaTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JsonSchemaFactory VALIDATORS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
  private static final int TEXTS = 60;

  record Case(String name, String schema, List<String> good, List<String> bad) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() throws IOException {
    return read("schemas.json")
        .map(node ->
            new Case(
                node.get("name").asText(),
                node.get("schema").toString(),
                texts(node.path("good")),
                texts(node.path("bad"))));
  }

  static Stream<JsonNode> refused() throws IOException {
    return read("refused-schemas.json");
  }

  private static Stream<JsonNode> read(String file) throws IOException {
    JsonNode all = MAPPER.readTree(Path.of("src/test/resources/schemas", file).toFile());
    return StreamSupport.stream(all.spliterator(), false);
  }

  private static List<String> texts(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).map(JsonNode::toString).toList();
  }

  private static Set<ValidationMessage> errors(JsonSchema validator, String json) {
    Set<ValidationMessage> errors =
        validator.validate(
            json,
            InputFormat.JSON,
            (ExecutionContext context) ->
                context.getExecutionConfig().setFormatAssertionsEnabled(true));
    // the validator also looks top-level domains up in a list of those registered
    boolean address = json.matches("\"[\\w+.-]+@([a-zA-Z0-9-]+\\.)+[a-zA-Z]{2,10}\"");
    return address && errors.stream().allMatch(e -> e.getMessage().contains("email"))
        ? Set.of()
        : errors;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void textsByChanceAreValid(Case schema) {
    JsonSchema validator = VALIDATORS.getSchema(schema.schema);
    Grammar grammar = JsonSchemaGrammar.of(schema.schema);
    var random = new SplittableRandom(schema.name.hashCode());
    for (int i = 0; i < TEXTS; i++) {
      String text = RandomTexts.of(grammar, random, random.nextInt(5, 60));
      assertThat(errors(validator, text)).as(text).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void validInstancesAreAllowedAndOthersRefused(Case schema) {
    JsonSchema validator = VALIDATORS.getSchema(schema.schema);
    Grammar grammar = JsonSchemaGrammar.of(schema.schema);
    for (String good : schema.good) {
      assertThat(errors(validator, good)).as("the test's own instance %s", good).isEmpty();
      assertThat(grammar.matches(good)).as(good).isTrue();
    }
    for (String bad : schema.bad) {
      assertThat(errors(validator, bad)).as("the test's own instance %s", bad).isNotEmpty();
      assertThat(grammar.matches(bad)).as(bad).isFalse();
    }
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatIsNotSupportedIsNamed(JsonNode schema) {
    assertThatThrownBy(() -> JsonSchemaGrammar.of(schema.get("schema").toString()))
        .isInstanceOf(JsonSchemaException.class)
        .hasMessageContaining(schema.get("message").asText())
        .asInstanceOf(type(JsonSchemaException.class))
        .extracting(JsonSchemaException::pointer)
        .matches(
            at -> at.equals(schema.get("at").asText()) || schema.get("at").asText().equals("@"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s",
        "{\"name\": \"x\", \"schema\": %s, \"strict\": true}",
        "{\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\", \"schema\": %s}}",
        "{\"type\": \"json_schema\", \"name\": \"x\", \"description\": \"y\", \"schema\": %s}",
        "{\"json_schema\": {\"name\": \"x\", \"schema\": %s}}",
        "{\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\","
            + " \"schema\": %s}}}"
      })
  void theSchemaIsTakenOutOfWhatOpenAiWritesAround(String wrapper) {
    Grammar grammar = JsonSchemaGrammar.of(wrapper.formatted("{\"type\": \"integer\"}"));
    assertThat(grammar.matches("12")).isTrue();
    assertThat(grammar.matches("{}")).isFalse();
    assertThat(grammar.matches("\"a\"")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'name':'x'} | /schema | found nothing",
        "{'name':'x','strict':true,'description':'y'} | /schema | found nothing",
        "{'name':'x','schema':null} | /schema | found null",
        "{'name':'x','schema':true} | /schema | found true",
        "{'schema':'integer'} | /schema | found \"integer\"",
        "{'type':'json_schema'} | /json_schema | found nothing",
        "{'type':'json_schema','json_schema':{}} | /json_schema | found an empty one",
        "{'type':'json_schema','json_schema':{'name':'x'}} | /schema | found nothing",
        "{'json_schema':true} | /json_schema | found true",
        "{'response_format':{'type':'json_schema'}} | /json_schema | found nothing",
        "{'type':'json_schema','name':'x','schema':[]} | /schema | found []",
        "{'name':'x','parameters':{'type':'object'}} | /parameters | definition of a function",
      })
  void whatStandsAroundASchemaIsNoSchemaWithoutOne(String json, String at, String message) {
    assertThatThrownBy(() -> JsonSchemaGrammar.of(json.replace('\'', '"')))
        .isInstanceOf(JsonSchemaException.class)
        .hasMessageContaining(message)
        .asInstanceOf(type(JsonSchemaException.class))
        .extracting(JsonSchemaException::pointer)
        .isEqualTo(at);
  }

  @ParameterizedTest
  @ValueSource(strings = {"#/$d%fs/tree", "#/%", "#/$defs/%zz", "#/$defs/a%4"})
  void aReferenceWithABrokenEscapeIsNamed(String reference) {
    assertThatThrownBy(
            () -> JsonSchemaGrammar.of("{\"anyOf\": [{\"$ref\": \"" + reference + "\"}]}"))
        .isInstanceOf(JsonSchemaException.class)
        .hasMessageContaining("behind each %")
        .asInstanceOf(type(JsonSchemaException.class))
        .extracting(JsonSchemaException::pointer)
        .isEqualTo("/anyOf/0/$ref");
  }

  @Test
  void aReferenceIsReadAsPartOfAUrl() {
    Grammar grammar =
        JsonSchemaGrammar.of(
            "{\"$defs\": {\"a b+c/d~\": {\"type\": \"integer\"}}, \"$ref\":"
                + " \"#/$defs/a%20b+c~1d~0\"}");
    assertThat(grammar.matches("12")).isTrue();
    assertThat(grammar.matches("{}")).isFalse();
  }

  @Test
  void aNameOrDescriptionAloneLeavesASchemaOne() {
    assertThat(JsonSchemaGrammar.of("{\"name\": \"x\", \"type\": \"integer\"}").matches("12"))
        .isTrue();
    assertThat(JsonSchemaGrammar.of("{\"description\": \"anything\"}").matches("[1]")).isTrue();
    assertThat(JsonSchemaGrammar.of("{}").matches("{}")).isTrue();
  }

  @Test
  void aSchemaWithPropertiesOfTheseNamesIsNotUnwrapped() {
    Grammar grammar =
        JsonSchemaGrammar.of(
            "{\"type\": \"object\", \"properties\": {\"name\": {}, \"schema\": {}}, \"required\":"
                + " [\"schema\"]}");
    assertThat(grammar.matches("{\"schema\":1}")).isTrue();
    assertThat(grammar.matches("{\"name\":1}")).isFalse();
  }
}
