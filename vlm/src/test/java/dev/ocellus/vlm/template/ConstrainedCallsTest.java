package dev.ocellus.vlm.template;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.ExecutionContext;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarConstraint;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.Samplers;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.AnswerPart;
import dev.ocellus.vlm.tool.AnswerSplitter;
import dev.ocellus.vlm.tool.grammar.ControlTokens;
import dev.ocellus.vlm.tool.grammar.ToolGrammar;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers by chance, constrained to the tools that are offered, in the notation of every template
 * of the corpus: whatever call is begun is read back as one of an offered tool, with arguments that
 * are valid for an independent validator.
 */
class ConstrainedCallsTest {
  static final List<Tool> TOOLS =
      Tool.parseList(
          """
          [{"type": "function", "function": {"name": "weather", "description": "Tells.", "parameters": {
              "type": "object", "additionalProperties": false, "required": ["city", "days", "at"], "properties": {
                "city": {"type": "string", "minLength": 1, "maxLength": 12, "description": "d"},
                "days": {"type": "integer", "minimum": 1, "maximum": 30, "description": "d"},
                "unit": {"enum": ["C", "F", "a</tool_call>b", "x < y"], "description": "d"},
                "note": {"type": "string", "description": "d"},
                "at": {"type": "object", "description": "d", "required": ["lat", "tags"], "additionalProperties": false,
                  "properties": {"lat": {"type": "number"}, "name": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3}}}}}}},
           {"type": "function", "function": {"name": "list-files", "description": "Lists.", "parameters": {
              "type": "object", "additionalProperties": false, "properties": {
                "path": {"type": "string", "description": "d"}, "deep": {"type": "boolean", "description": "d"},
                "kinds": {"type": ["array", "null"], "items": {"enum": ["a", "b"]}, "description": "d"},
                "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$", "description": "d"}}}}},
           {"type": "function", "function": {"name": "now", "description": "Says.", "parameters": {
              "type": "object", "additionalProperties": false, "properties": {}}}}]
          """);

  private static final Map<String, Tool> BY_NAME = new TreeMap<>();

  /** Templates with calls in a notation that has no grammar. */
  private static final Set<String> FREE =
      Set.of(
          "CohereForAI-c4ai-command-r-plus-tool_use.jinja",
          "MiniMax-M3.jinja",
          "fireworks-ai-llama-3-firefunction-v2.jinja",
          "LFM2.5-8B-A1B.jinja",
          "google-gemma-4-31B-it-interleaved.jinja",
          "google-gemma-4-31B-it.jinja");

  private static CallVocabulary real;

  @BeforeAll
  static void open() throws IOException {
    TOOLS.forEach(tool -> BY_NAME.put(tool.name(), tool));
    real = CallVocabulary.open();
  }

  @AfterAll
  static void close() {
    real.close();
  }

  /** A way in which templates of the corpus write calls, and what may stand in front. */
  record Notation(String template, AnswerFormat format, String promptEnd) {
    @Override
    public String toString() {
      return template;
    }
  }

  private static Map<String, String> templates() {
    Map<String, String> templates = new TreeMap<>();
    Corpus.selected()
        .renderings()
        .forEach(c -> templates.put(c.name().split(" / ", 2)[0], c.template()));
    return templates;
  }

  private static boolean hasCalls(AnswerFormat format) {
    return format.tags().stream()
        .anyMatch(t -> t.kind() == AnswerFormat.Kind.CALLS || t.kind() == AnswerFormat.Kind.HEADER);
  }

  /** Each way once. */
  static Stream<Notation> notations() {
    Map<Object, Notation> different = new LinkedHashMap<>();
    templates()
        .forEach((name, source) -> {
          ChatFormat chat = new ChatFormat(source, "<s>", "</s>");
          AnswerFormat format = chat.answerFormat();
          if (hasCalls(format) && ToolGrammar.supports(format.notation())) {
            String end = promptEnd(chat);
            String opens = String.valueOf(format.openIn(end));
            different.putIfAbsent(List.of(format, opens), new Notation(name, format, end));
          }
        });
    for (String markers :
        List.of("<minimax:tool_call> <think>", "<function=", "<TOOLCALL>", "<|tool_call|>")) {
      AnswerFormat format = AnswerFormat.of(markers);
      different.put(markers, new Notation(markers, format, "")); // not in the corpus
    }
    return different.values().stream();
  }

  private static String promptEnd(ChatFormat chat) {
    for (List<Tool> tools : List.of(TOOLS, List.<Tool>of())) {
      try {
        PromptOptions options = PromptOptions.defaults().withTools(tools);
        List<Message> question = List.of(Message.user("?"));
        return chat.render(question, options, ChatFormat.Shown.PARTS, visual -> "").end();
      } catch (TemplateException | PromptException notShown) {
        // some show tools under another name
      }
    }
    return "";
  }

  @Test
  void theCorpusHasNoOtherNotationsWithoutAGrammar() {
    Set<String> free = new TreeSet<>();
    templates()
        .forEach((name, source) -> {
          AnswerFormat format = AnswerFormat.of(source);
          if (hasCalls(format) && !ToolGrammar.supports(format.notation())) {
            free.add(name);
          }
        });
    assertThat(free).isEqualTo(new TreeSet<>(FREE));
    assertThat(notations().count()).isGreaterThan(15);
  }

  /** Chooses by chance; where {@code wanted} has tokens left, first those. */
  static String walk(
      Grammar grammar,
      CallVocabulary.Tokens tokens,
      int[] wanted,
      int limit,
      SplittableRandom random) {
    var constraint = new GrammarConstraint(grammar, tokens.vocabulary());
    var sampler = new ConstrainedSampler(SamplerChain.of(Samplers.greedy()), constraint);
    List<Integer> likely = tokens.likely();
    var text = new ByteArrayOutputStream();
    float[] noise = tokens.noise(random);
    for (int i = 0; i < limit && !constraint.mustEnd(); i++) {
      float[] logits = noise.clone();
      likely.forEach(t -> logits[t] = random.nextFloat(0, 5));
      boolean mayEnd = i > wanted.length + 8 && random.nextInt(8) == 0;
      for (int end : real.ends()) {
        logits[end] = mayEnd ? 20 : -20;
      }
      if (i < wanted.length) {
        logits[wanted[i]] = 30;
      }
      constraint.setTokensLeft(limit - i);
      int token = sampler.sample(FloatBuffer.wrap(logits));
      if (IntStream.of(real.ends()).anyMatch(end -> end == token)) {
        break;
      }
      text.writeBytes(tokens.bytes(token));
    }
    assertThat(constraint.isComplete()).as(text.toString(StandardCharsets.UTF_8)).isTrue();
    return text.toString(StandardCharsets.UTF_8);
  }

  private static List<AnswerPart> split(Notation notation, String answer) {
    List<AnswerPart> parts = new ArrayList<>();
    var splitter = new AnswerSplitter(notation.format, notation.promptEnd, TOOLS, parts::add);
    answer.codePoints().forEach(c -> splitter.accept(Character.toString(c)));
    splitter.finish();
    return parts;
  }

  static List<ToolCall> calls(List<AnswerPart> parts) {
    return parts.stream()
        .filter(AnswerPart.Call.class::isInstance)
        .map(part -> ((AnswerPart.Call) part).call())
        .toList();
  }

  static String text(List<AnswerPart> parts) {
    StringBuilder text = new StringBuilder();
    parts.forEach(part -> text.append(part instanceof AnswerPart.Text(String more) ? more : ""));
    return text.toString();
  }

  static void assertValid(ToolCall call, String answer) {
    assertThat(BY_NAME).as(answer).containsKey(call.name());
    var validator =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
            .getSchema(requireNonNull(BY_NAME.get(call.name())).parameters());
    assertThat(validator.validate(call.arguments(), InputFormat.JSON, (ExecutionContext c) -> {}))
        .as("%s -> %s", answer, call)
        .isEmpty();
  }

  private static Grammar grammar(
      Notation notation, CallVocabulary.Tokens tokens, ToolChoice choice) {
    return ToolGrammar.of(
            notation.format,
            notation.promptEnd,
            TOOLS,
            choice,
            ControlTokens.of(tokens.vocabulary(), tokens.shown()))
        .orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("notations")
  void requiredCallsAreValid(Notation notation) {
    var random = new SplittableRandom(notation.template.hashCode());
    for (boolean control : new boolean[] {false, true}) {
      CallVocabulary.Tokens tokens = real.tokens(notation.format, control);
      Grammar any = grammar(notation, tokens, ToolChoice.REQUIRED);
      Grammar named = grammar(notation, tokens, ToolChoice.named("list-files"));
      for (int i = 0; i < 2; i++) {
        String answer = walk(any, tokens, new int[0], 120 + 40 * i, random);
        List<AnswerPart> parts = split(notation, answer);
        assertThat(calls(parts)).as(answer).isNotEmpty();
        assertThat(text(parts)).as(answer).isBlank();
        calls(parts).forEach(call -> assertValid(call, answer));
      }
      String answer = walk(named, tokens, new int[0], 120, random);
      assertThat(calls(split(notation, answer)))
          .as(answer)
          .singleElement()
          .satisfies(call -> assertValid(call, answer))
          .matches(call -> call.name().equals("list-files"));
    }
  }

  /**
   * What a model writes in front of its first call, up to where only the call is left to choose.
   */
  private static String upToCall(AnswerFormat format) {
    return switch (format.notation()) {
      case CHANNELS -> "<|channel|>commentary to=functions.";
      case NAME_LINE -> "all\nSure. >>>";
      default ->
          "Sure. "
              + format.tags().stream()
                  .filter(t -> t.kind() == AnswerFormat.Kind.CALLS)
                  .findFirst()
                  .orElseThrow()
                  .open();
    };
  }

  static String reasoningEnd(Notation notation) {
    AnswerFormat.Tag open = notation.format.openIn(notation.promptEnd);
    return open != null && open.kind() == AnswerFormat.Kind.REASONING ? open.close() : "";
  }

  @ParameterizedTest
  @MethodSource("notations")
  void textIsFreeAndCallsThatTheModelBeginsAreValid(Notation notation) {
    var random = new SplittableRandom(notation.template.hashCode());
    int nCalls = 0;
    for (boolean control : new boolean[] {false, true}) {
      CallVocabulary.Tokens tokens = real.tokens(notation.format, control);
      Grammar grammar = grammar(notation, tokens, ToolChoice.AUTO);
      for (int i = 0; i < 2; i++) {
        int[] wanted = tokens.cut(reasoningEnd(notation) + upToCall(notation.format), random);
        String answer = walk(grammar, tokens, wanted, 110 + 40 * i, random);
        List<AnswerPart> parts = split(notation, answer);
        calls(parts).forEach(call -> assertValid(call, answer));
        nCalls += calls(parts).size();
        for (AnswerFormat.Tag tag : notation.format.tags()) {
          if (tag.kind() == AnswerFormat.Kind.CALLS) {
            assertThat(text(parts)).as(answer).doesNotContain(tag.open());
          }
        }
      }
    }
    assertThat(nCalls).isGreaterThanOrEqualTo(3);
  }

  @ParameterizedTest
  @MethodSource("notations")
  void aMarkerInReasoningIsFree(Notation notation) {
    AnswerFormat format = notation.format;
    AnswerFormat.Tag calls = first(format, AnswerFormat.Kind.CALLS);
    AnswerFormat.Tag reasoning = first(format, AnswerFormat.Kind.REASONING);
    if (calls == null || reasoning == null) {
      assertThat(format.tags()).as("nothing to mix").isNotEmpty();
      return;
    }
    String begin = reasoningEnd(notation).isEmpty() ? reasoning.open() : "";
    String answer =
        begin + "I could " + calls.open() + "nothing, " + reasoning.close() + "No " + calls.open();
    CallVocabulary.Tokens tokens = real.tokens(format, true);
    var random = new SplittableRandom(1);
    int[] wanted = tokens.cut(answer, random);
    var constraint =
        new GrammarConstraint(grammar(notation, tokens, ToolChoice.AUTO), tokens.vocabulary());
    for (int token : wanted) {
      assertThat(constraint.allows(token)).as("%s of %s", token, answer).isTrue();
      constraint.accept(token);
    }
    assertThat(constraint.isComplete()).isFalse();
    assertThat(constraint.allows(tokens.of("nothing")[0])).isFalse();
  }

  private static AnswerFormat.@Nullable Tag first(AnswerFormat format, AnswerFormat.Kind kind) {
    return format.tags().stream().filter(t -> t.kind() == kind).findFirst().orElse(null);
  }

  @ParameterizedTest
  @MethodSource("notations")
  void withoutACallNoneComes(Notation notation) {
    var random = new SplittableRandom(notation.template.hashCode());
    for (boolean control : new boolean[] {false, true}) {
      CallVocabulary.Tokens tokens = real.tokens(notation.format, control);
      Grammar grammar = grammar(notation, tokens, ToolChoice.NONE);
      int[] wanted = tokens.cut(reasoningEnd(notation) + upToCall(notation.format), random);
      String answer = walk(grammar, tokens, wanted, 60, random);
      assertThat(calls(split(notation, answer))).as(answer).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("notations")
  void aCallIsOnlyBegunWhereThereIsRoomForItsEnd(Notation notation) {
    var random = new SplittableRandom(notation.template.hashCode());
    CallVocabulary.Tokens tokens = real.tokens(notation.format, true);
    Grammar grammar = grammar(notation, tokens, ToolChoice.AUTO);
    int[] wanted = tokens.cut(reasoningEnd(notation) + upToCall(notation.format), random);
    for (int more = 0; more < 60; more += 19) {
      String answer = walk(grammar, tokens, wanted, wanted.length + more, random);
      calls(split(notation, answer)).forEach(call -> assertValid(call, answer));
    }
  }
}
