package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.ExecutionContext;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.AnswerPart;
import dev.ocellus.vlm.tool.AnswerSplitter;
import dev.ocellus.vlm.tool.grammar.ControlTokens;
import dev.ocellus.vlm.tool.grammar.ToolGrammar;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers by chance that a schema binds, in the notation of every template of the corpus: behind
 * reasoning, and beside calls of tools.
 */
class SchemaAnswersTest {
  private static final String SCHEMA =
      """
      {"type": "object", "additionalProperties": false, "required": ["ok", "n"], "properties": {
        "ok": {"type": "boolean"}, "n": {"type": "integer", "minimum": 0, "maximum": 99},
        "why": {"type": "string", "maxLength": 4}}}\
      """;

  private static CallVocabulary real;

  @BeforeAll
  static void open() throws IOException {
    real = CallVocabulary.open();
    ConstrainedCallsTest.open();
  }

  @AfterAll
  static void close() {
    real.close();
    ConstrainedCallsTest.close();
  }

  static Stream<ConstrainedCallsTest.Notation> notations() {
    return ConstrainedCallsTest.notations();
  }

  private static Grammar grammar(
      AnswerFormat format,
      String promptEnd,
      CallVocabulary.Tokens tokens,
      List<Tool> tools,
      ToolChoice choice) {
    return ToolGrammar.ofSchema(
        format,
        promptEnd,
        tools,
        choice,
        ControlTokens.of(tokens.vocabulary(), tokens.shown()),
        SCHEMA);
  }

  private static List<AnswerPart> split(
      AnswerFormat format, String promptEnd, List<Tool> tools, String answer) {
    List<AnswerPart> parts = new ArrayList<>();
    var splitter = new AnswerSplitter(format, promptEnd, tools, parts::add);
    answer.codePoints().forEach(c -> splitter.accept(Character.toString(c)));
    splitter.finish();
    return parts;
  }

  private static void assertValid(List<AnswerPart> parts, String answer) {
    var schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(SCHEMA);
    String text = ConstrainedCallsTest.text(parts);
    assertThat(schema.validate(text, InputFormat.JSON, (ExecutionContext c) -> {}))
        .as("%s -> %s", answer, text)
        .isEmpty();
  }

  /** With and without markers as control tokens, with and without tools that must not be called. */
  @ParameterizedTest
  @MethodSource("notations")
  void whatIsNoReasoningIsJsonOfTheSchema(ConstrainedCallsTest.Notation notation) {
    var random = new SplittableRandom(notation.template().hashCode());
    AnswerFormat format = notation.format().withoutCalls();
    for (boolean control : new boolean[] {false, true}) {
      CallVocabulary.Tokens tokens = real.tokens(format, control);
      Grammar grammar = grammar(format, notation.promptEnd(), tokens, List.of(), ToolChoice.AUTO);
      for (int limit = 60; limit <= 120; limit += 30) {
        String answer = ConstrainedCallsTest.walk(grammar, tokens, new int[0], limit, random);
        List<AnswerPart> parts = split(format, notation.promptEnd(), List.of(), answer);
        assertThat(ConstrainedCallsTest.calls(parts)).isEmpty();
        assertValid(parts, answer);
      }
    }
    CallVocabulary.Tokens tokens = real.tokens(notation.format(), true);
    Grammar none =
        grammar(
            notation.format(),
            notation.promptEnd(),
            tokens,
            ConstrainedCallsTest.TOOLS,
            ToolChoice.NONE);
    String answer = ConstrainedCallsTest.walk(none, tokens, new int[0], 90, random);
    List<AnswerPart> parts =
        split(notation.format(), notation.promptEnd(), ConstrainedCallsTest.TOOLS, answer);
    assertThat(ConstrainedCallsTest.calls(parts)).isEmpty();
    assertValid(parts, answer);
  }

  @ParameterizedTest
  @MethodSource("notations")
  void toolsAreCalledOrTheAnswerIsOfTheSchema(ConstrainedCallsTest.Notation notation) {
    var random = new SplittableRandom(notation.template().hashCode());
    AnswerFormat format = notation.format();
    int nCalls = 0;
    int nAnswers = 0;
    for (boolean control : new boolean[] {false, true}) {
      CallVocabulary.Tokens tokens = real.tokens(format, control);
      Grammar grammar =
          grammar(
              format, notation.promptEnd(), tokens, ConstrainedCallsTest.TOOLS, ToolChoice.AUTO);
      for (boolean calls : new boolean[] {false, true}) {
        String begin = ConstrainedCallsTest.reasoningEnd(notation) + begin(format, calls);
        int[] wanted = tokens.cut(begin, random);
        String answer = ConstrainedCallsTest.walk(grammar, tokens, wanted, 160, random);
        List<AnswerPart> parts =
            split(format, notation.promptEnd(), ConstrainedCallsTest.TOOLS, answer);
        var made = ConstrainedCallsTest.calls(parts);
        if (made.isEmpty()) {
          nAnswers++;
          assertValid(parts, answer);
        } else {
          nCalls++;
          assertThat(ConstrainedCallsTest.text(parts)).as(answer).isBlank();
          made.forEach(call -> ConstrainedCallsTest.assertValid(call, answer));
        }
      }
    }
    assertThat(nCalls).isEqualTo(2);
    assertThat(nAnswers).isEqualTo(2);
  }

  private static String begin(AnswerFormat format, boolean calls) {
    return switch (format.notation()) {
      case CHANNELS ->
          calls ? "<|channel|>commentary to=functions." : "<|channel|>final<|message|>{\"ok\"";
      case NAME_LINE -> calls ? "now\n" : "all\n{\"ok\"";
      default ->
          calls
              ? format.tags().stream()
                  .filter(t -> t.kind() == AnswerFormat.Kind.CALLS)
                  .findFirst()
                  .orElseThrow()
                  .open()
              : "{\"ok\"";
    };
  }

  @Test
  void aFormatWithoutReasoningHasTheSchemasOwnGrammar() {
    CallVocabulary.Tokens tokens = real.tokens(AnswerFormat.PLAIN, false);
    Grammar grammar = grammar(AnswerFormat.PLAIN, "", tokens, List.of(), ToolChoice.AUTO);
    assertThat(grammar.matches("{\"ok\":true,\"n\":1}")).isTrue();
    assertThat(grammar.matches(" {\"ok\":true,\"n\":1}")).isFalse();
    assertThat(grammar.matches("<think></think>{\"ok\":true,\"n\":1}")).isFalse();
  }

  @Test
  void reasoningThatThePromptOpenedComesToItsEndFirst() {
    AnswerFormat format = AnswerFormat.of("<think> </think>");
    CallVocabulary.Tokens tokens = real.tokens(format, false);
    Grammar opened = grammar(format, "<think>\n", tokens, List.of(), ToolChoice.AUTO);
    assertThat(opened.matches("{\"ok\":true,\"n\":1}")).isFalse();
    assertThat(opened.matches("hm {\"ok\"</think>\n\n{\"ok\":true,\"n\":1}")).isTrue();
    assertThat(opened.matches("hm</think>yes {\"ok\":true,\"n\":1}")).isFalse();
    Grammar closed = grammar(format, "", tokens, List.of(), ToolChoice.AUTO);
    assertThat(closed.matches("{\"ok\":true,\"n\":1}")).isTrue();
    assertThat(closed.matches("<think>hm</think>{\"ok\":true,\"n\":1}")).isTrue();
    assertThat(closed.matches("<think>{\"ok\":true,\"n\":1}")).isFalse();
  }
}
