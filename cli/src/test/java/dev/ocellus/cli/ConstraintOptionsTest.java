package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Grammars, schemas, tools and log probabilities on the command line, with the embedded model. */
class ConstraintOptionsTest {
  private static final String SCHEMA =
      "{\"type\": \"object\", \"properties\": {\"color\": {\"enum\": [\"red\", \"blue\"]}, \"note\": {\"type\": \"string\"}, \"count\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 9}}, \"required\": [\"color\", \"note\", \"count\"]}";

  @TempDir static Path directory;

  @ParameterizedTest
  @ValueSource(ints = {40, 60})
  void answersJsonThatTheSchemaAllowsAlsoWhenTokensRunOut(int limit) throws IOException {
    Path schema = Files.writeString(directory.resolve("schema.json"), SCHEMA);
    Cli run =
        Cli.run(
            "chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--seed", limit, "-n", limit, "-jf",
            schema);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode answer = new ObjectMapper().readTree(run.json().get("content").asText());
    assertThat(answer.get("color").asText()).isIn("red", "blue");
    assertThat(answer.get("note").isTextual()).isTrue();
    assertThat(answer.get("count").asInt()).isBetween(1, 9);
    assertThat(run.json().get("tokens").size()).isLessThanOrEqualTo(limit);
  }

  @Test
  void followsAGrammar() {
    Cli run =
        Cli.run(
            "chat",
            "-q",
            "--json",
            "-t",
            1,
            "-p",
            "Hello.",
            "--temp",
            0,
            "--grammar",
            "root ::= \"<\" [x-z]{2,3} \">\"");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("content").asText()).matches("<[xyz]{2,3}>");
    assertThat(run.json().get("stop_reason").asText()).isEqualTo("end");
  }

  @Test
  void leavesTextFreeUntilTheTrigger() {
    Cli run =
        Cli.run(
            "chat",
            "-q",
            "--json",
            "-t",
            1,
            "-p",
            "Hello.",
            "--temp",
            0,
            "-n",
            8,
            "--grammar",
            "root ::= \"never\" \"!\"",
            "--grammar-trigger",
            "never");
    Cli free = Cli.run("chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--temp", 0, "-n", 8);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("text")).isEqualTo(free.json().get("text"));
  }

  /**
   * What the embedded model says to this, up to its end, constrained to a grammar from a trigger
   * on.
   */
  private static JsonNode fired(String grammar, String option, String trigger, Object... more) {
    List<Object> arguments = new ArrayList<>();
    arguments.addAll(
        List.of("chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--temp", 0, "-n", 24));
    arguments.addAll(List.of("--grammar", grammar, option, trigger));
    arguments.addAll(List.of(more));
    Cli run = Cli.run(arguments.toArray());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("stop_reason").asText()).isEqualTo("end");
    return run.json();
  }

  @Test
  void holdsTheRestOfTheAnswerToTheGrammarFromATriggerOn() {
    Cli run = Cli.run("chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--temp", 0, "-n", 8);
    String free = run.json().get("content").asText();
    String word = free.split("\\s+", 3)[1]; // what it says anyway, though not at once
    String before = free.substring(0, free.indexOf(word));
    assertThat(word).matches("[A-Za-z]+");
    String grammar = "root ::= \"" + word + "\" \"=\" [x-z]{3} \"!\"";
    String expected = Pattern.quote(before + word) + "=[xyz]{3}!";
    assertThat(fired(grammar, "--grammar-trigger", word).get("content").asText()).matches(expected);
    String pattern = "\\s(" + word + ")";
    assertThat(fired(grammar, "--grammar-trigger-pattern", pattern).get("content").asText())
        .matches(expected);
  }

  @Test
  void holdsTheRestOfTheAnswerToTheGrammarFromAControlTokenOn() {
    String token = "<|im_start|>";
    JsonNode answer =
        fired(
            "root ::= " + token + " [x-z]{3} \"!\"",
            "--grammar-trigger-token",
            token,
            "-l",
            "2+99");
    assertThat(answer.get("content").asText()).matches("[xyz]{3}!");
    assertThat(answer.get("tokens").get(0).asInt()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "--grammar ~ root ::= foo ~ 1 ~ line 1, column 10: there is no rule 'foo'",
        "--grammar-file ~ missing.gbnf ~ 1 ~ no such file: missing.gbnf",
        "-j ~ {\"not\": {}} ~ 1 ~ at #/not: 'not' is not supported",
        "--grammar-trigger ~ x ~ 2 ~ needs a grammar",
        "--grammar-trigger-token ~ <s> ~ 2 ~ needs a grammar",
        "--reasoning ~ maybe ~ 2 ~ expected on, off or auto",
        "--chat-template-kwargs ~ [1] ~ 2 ~ must be a JSON object",
        "--logprobs ~ -2 ~ 2 ~ --logprobs: expected at least -1, found -2",
      })
  void saysWhatIsWrong(String option, String value, int code, String message) {
    Cli run = Cli.run("chat", "-q", "-t", 1, "-p", "a", option, value);
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.err()).contains(message).doesNotContain("\tat ");
  }

  @Test
  void tellsLogProbabilities() {
    Cli run =
        Cli.run(
            "chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--temp", 0, "-n", 3, "--logprobs", 2);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode tokens = run.json().get("logprobs");
    assertThat(tokens).hasSize(run.json().get("tokens").size()).isNotEmpty();
    JsonNode first = tokens.get(0);
    assertThat(first.get("top")).hasSize(2);
    assertThat(first.get("id")).isEqualTo(first.get("top").get(0).get("id"));
    assertThat(first.get("logprob").asDouble()).isLessThanOrEqualTo(0);
  }

  @Test
  void goesOnWithAnAnswerThatHasBegun() throws IOException {
    Path messages =
        Files.writeString(
            directory.resolve("begun.json"),
            "[{\"role\": \"user\", \"content\": \"Hello.\"}, {\"role\": \"assistant\", \"content\": \"There is a <s>\"}]");
    Cli run =
        Cli.run("chat", "-q", "--json", "-t", 1, "--messages", messages, "--temp", 0, "-n", 2);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("prompt").asText()).endsWith("There is a <s>");
  }

  @Test
  void refusesToolsThatTheTemplateDoesNotShow() throws IOException {
    Path tools =
        Files.writeString(
            directory.resolve("tools.json"),
            "[{\"type\": \"function\", \"function\": {\"name\": \"weather\"}}]");
    Cli run =
        Cli.run(
            "chat",
            "-q",
            "-t",
            1,
            "-p",
            "Hello.",
            "--tools",
            tools,
            "--chat-template",
            "{{ messages[0].content }}");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("does not show tools");
  }

  private static final String TOOLS =
      """
      [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object",
          "properties": {"city": {"enum": ["Rome", "Oslo"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
          "required": ["city", "days"], "additionalProperties": false}}},
       {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {},
          "additionalProperties": false}}}]
      """;

  private static Cli withTools(String template, Object... more) throws IOException {
    Path tools = Files.writeString(directory.resolve("offered.json"), TOOLS);
    List<Object> arguments = new ArrayList<>();
    arguments.addAll(List.of("chat", "-q", "--json", "-t", 1, "-p", "Hello.", "--tools", tools));
    arguments.addAll(
        List.of("--chat-template", "{{ tools | tojson }}{{ messages[0].content }}" + template));
    arguments.addAll(List.of(more));
    return Cli.run(arguments.toArray());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{# <tool_call> #}",
        "{# <tool_call> <think> #}<think>",
        "{# <tool_call> <function= #}",
        "{# <tool_call> <arg_key> #}",
        "{# [TOOL_CALLS] [ARGS] #}",
        "{# <|python_tag|> #}",
        "{# <|channel|> <|message|> #}<|start|>assistant",
        "{# >>>all #}>>>"
      })
  void callsAToolWhenItHasTo(String template) throws IOException {
    for (String choice : List.of("required", "weather")) {
      Cli run = withTools(template, "--tool-choice", choice, "-n", 140, "--seed", 1);
      assertThat(run.code()).as(run.err()).isZero();
      JsonNode calls = run.json().get("tool_calls");
      assertThat(calls).as(run.out()).isNotEmpty();
      assertThat(run.json().get("content").asText()).isEmpty();
      assertThat(run.json().get("tokens").size()).isLessThanOrEqualTo(140);
      for (JsonNode call : calls) {
        JsonNode function = call.get("function");
        JsonNode arguments = new ObjectMapper().readTree(function.get("arguments").asText());
        if (function.get("name").asText().equals("weather")) {
          assertThat(arguments.get("city").asText()).isIn("Rome", "Oslo");
          assertThat(arguments.get("days").asInt()).isBetween(1, 9);
        } else {
          assertThat(function.get("name").asText()).isEqualTo("now");
          assertThat(choice).isEqualTo("required");
          assertThat(arguments).isEmpty();
        }
      }
    }
  }

  @Test
  void leavesTextFreeWhereTheModelCallsNothing() throws IOException {
    String template = "{# <tool_call> #}";
    Cli off = withTools(template, "-n", 24, "--temp", 0, "--tool-grammar", "off");
    Cli auto = withTools(template, "-n", 24, "--temp", 0);
    Cli none = withTools(template, "-n", 24, "--temp", 0, "--tool-choice", "none");
    assertThat(off.code()).as(off.err()).isZero();
    assertThat(auto.json().get("tokens")).isEqualTo(off.json().get("tokens"));
    assertThat(none.json().get("tokens")).isEqualTo(off.json().get("tokens"));
  }

  @Test
  void guessingTokensMakesNoDifferenceToARequiredCall() throws IOException {
    String template = "{# <tool_call> #}";
    Object[] options = {"--tool-choice", "required", "-n", 80, "--temp", 0, "--logprobs", 1};
    List<Object> speculating = new ArrayList<>(List.of(options));
    speculating.add("--lookup");
    Cli plain = withTools(template, options);
    Cli drafted = withTools(template, speculating.toArray());
    assertThat(drafted.code()).as(drafted.err()).isZero();
    assertThat(drafted.json().get("tokens")).isEqualTo(plain.json().get("tokens"));
    assertThat(plain.json().get("logprobs")).hasSize(plain.json().get("tokens").size());
  }

  @Test
  void aStopStringEndsACallEarlyAndItIsText() throws IOException {
    Cli run =
        withTools(
            "{# <tool_call> #}",
            "--tool-choice",
            "weather",
            "-n",
            80,
            "--temp",
            0,
            "-r",
            "weather");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("stop_reason").asText()).isEqualTo("stop_string");
    assertThat(run.json().get("tool_calls")).isEmpty();
    assertThat(run.json().get("content").asText()).contains("<tool_call>{");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{# <tool_call> #} ~ --tool-choice ~ nothing ~ 2 ~ a tool of --tools [weather, now]",
        "{# <tool_call> #} ~ --tool-grammar ~ maybe ~ 2 ~ expected on or off",
        "{# Action: ```json #} ~ --tool-choice ~ required ~ 1 ~ A call cannot be forced",
      })
  void saysWhyAToolCannotBeCalled(
      String template, String option, String value, int code, String message) throws IOException {
    Cli run = withTools(template, option, value);
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.err()).contains(message).doesNotContain("\tat ");
  }

  @Test
  void refusesTwoSayingsOfWhatTheAnswerIs() throws IOException {
    Cli schema = withTools("{# <tool_call> #}", "--tool-choice", "required", "-j", "{}");
    assertThat(schema.code()).isEqualTo(2);
    assertThat(schema.err()).contains("both say what the answer is");
    Cli alone = Cli.run("chat", "-q", "-t", 1, "-p", "a", "--tool-choice", "required");
    assertThat(alone.code()).isEqualTo(2);
    assertThat(alone.err()).contains("--tool-choice: expected");
  }
}
