package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Answers that are constrained through the public door, with a tiny model that babbles. */
class ConstraintsTest {
  private static final String BOUNDED =
      """
      {"type": "object", "properties": {
          "animal": {"type": "string", "maxLength": 12},
          "counts": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 3}},
       "required": ["animal", "counts", "seen"]}\
      """;

  private static VisionLanguageModel model;

  @BeforeAll
  static void load() throws IOException {
    model = VisionLanguageModel.open(Golden.options());
  }

  @AfterAll
  static void free() {
    model.close();
  }

  private static Answer ask(GenerationOptions options) {
    try (ChatSession chat = model.newChat()) {
      return chat.send(Message.user("What is there?"), options, AnswerListener.NONE);
    }
  }

  @Test
  void aBoundedSchemaEndsByItself() throws IOException {
    String schema = BOUNDED.replace(", \"seen\"", "");
    Answer answer = ask(GenerationOptions.greedy().withMaxTokens(200).withJsonSchema(schema));
    JsonNode json = new ObjectMapper().readTree(answer.content());
    assertThat(answer.stopReason()).isEqualTo(StopReason.END);
    assertThat(json.path("animal").isTextual()).isTrue();
    assertThat(json.path("animal").asText().length()).isLessThanOrEqualTo(24);
    assertThat(json.path("counts").isArray()).isTrue();
    assertThat(json.path("counts").size()).isLessThanOrEqualTo(3);
    assertThat(json.size()).isEqualTo(2);
  }

  @Test
  void anAnswerIsValidAlsoWhenItsTokensRunOut() throws IOException {
    Answer answer =
        ask(
            GenerationOptions.greedy()
                .withMaxTokens(48)
                .withJsonSchema(
                    "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\"}}, \"required\": [\"a\"]}"));
    assertThat(new ObjectMapper().readTree(answer.content()).path("a").isTextual()).isTrue();
    assertThat(answer.usage().completionTokens()).isLessThanOrEqualTo(48);
  }

  @Test
  void aRequiredNameThatIsNotListedComes() throws IOException {
    Answer answer = ask(GenerationOptions.greedy().withMaxTokens(80).withJsonSchema(BOUNDED));
    JsonNode json = new ObjectMapper().readTree(answer.content());
    assertThat(json.has("seen")).isTrue();
    assertThat(json.has("animal")).isTrue();
  }

  @Test
  void theSchemaMayStandInOpenAisWrapper() {
    Answer answer =
        ask(
            GenerationOptions.greedy()
                .withJsonSchema(
                    "{\"name\": \"x\", \"schema\": {\"enum\": [\"yes\", \"no\"]}, \"strict\": true}"));
    assertThat(answer.content()).isIn("\"yes\"", "\"no\"");
    assertThat(answer.stopReason()).isEqualTo(StopReason.END);
  }

  @Test
  void aSchemaWithoutAnyValueIsRefused() {
    GenerationOptions options =
        GenerationOptions.greedy()
            .withJsonSchema("{\"type\": \"array\", \"minItems\": 1, \"items\": false}");
    assertThatThrownBy(() -> ask(options))
        .isInstanceOf(JsonSchemaException.class)
        .hasMessageContaining("no value is valid");
  }

  @Test
  void anAnswerMatchesAGrammarAsAWhole() {
    Answer answer = ask(GenerationOptions.greedy().withGrammar("root ::= \"yes\" | \"no\""));
    assertThat(answer.content()).isIn("yes", "no");
    assertThat(answer.stopReason()).isEqualTo(StopReason.END);
  }

  @Test
  void aGrammarThatIsNotValidIsRefusedWithItsPlace() {
    GenerationOptions options = GenerationOptions.greedy().withGrammar("root ::= \"yes\" |\nroot");
    assertThatThrownBy(() -> ask(options))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("line 2");
  }
}
