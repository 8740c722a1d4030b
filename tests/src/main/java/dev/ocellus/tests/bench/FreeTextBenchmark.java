package dev.ocellus.tests.bench;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarConstraint;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import dev.ocellus.vlm.sampling.LazyConstraint;
import dev.ocellus.vlm.sampling.TokenConstraint;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.grammar.ControlTokens;
import dev.ocellus.vlm.tool.grammar.ToolGrammar;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a constraint costs for each token of text that it does not bind yet, late in an answer. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class FreeTextBenchmark {
  private static final int VOCABULARY = 32_000;
  private static final int TOKENS = 64;
  private static final int LATE = 8_000;
  private static final String LETTERS =
      "etaoinshrdlucmfwypvbgkjqxz      ETAOIN0123456789.,:;-\"{}[]\n";
  private static final String SCHEMA =
      "{\"type\": \"object\", \"properties\": {\"title\": {\"type\": \"string\"}}, \"required\": [\"title\"]}";

  private final TokenConstraint waiting;
  private final TokenConstraint freeText;
  private int turn;

  public FreeTextBenchmark() {
    byte[][] texts = texts();
    int end = VOCABULARY - 1;
    var vocabulary = new GrammarVocabulary(VOCABULARY, t -> texts[t], t -> t == end);
    waiting =
        new LazyConstraint(
            new GrammarConstraint(JsonSchemaGrammar.of(SCHEMA), vocabulary),
            List.of(Pattern.compile("<tool_call>"), Pattern.compile("answer:\\s*(\\{)")),
            List.of(),
            t -> texts[t]);
    Tool tool = new Tool("f", "{\"function\": {\"name\": \"f\", \"parameters\": " + SCHEMA + "}}");
    Grammar calls =
        ToolGrammar.of(
                AnswerFormat.of("<think> <tool_call>"),
                "",
                List.of(tool),
                ToolChoice.AUTO,
                ControlTokens.of(vocabulary, Map.of()))
            .orElseThrow();
    freeText = new GrammarConstraint(calls, vocabulary);
    for (int i = 0; i < LATE / TOKENS; i++) {
      tokens(waiting);
      tokens(freeText);
    }
  }

  private static byte[][] texts() {
    SplittableRandom random = new SplittableRandom(1);
    byte[][] texts = new byte[VOCABULARY][];
    for (int t = 0; t < VOCABULARY; t++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(2, 9); n > 0; n--) {
        text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
      }
      texts[t] = t < 256 ? new byte[] {(byte) t} : text.toString().getBytes(StandardCharsets.UTF_8);
    }
    texts[VOCABULARY - 1] = new byte[0];
    return texts;
  }

  /** A grammar that waits for its trigger. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int waiting() {
    return tokens(waiting);
  }

  /** A grammar of the whole answer, in which text is free up to a call. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int freeText() {
    return tokens(freeText);
  }

  private int tokens(TokenConstraint constraint) {
    int sum = 0;
    for (int i = 0; i < TOKENS; i++) {
      turn = (turn + 1) % LATE;
      int token = 256 + turn;
      if (constraint.allows(token)) {
        constraint.accept(token);
        sum++;
      }
    }
    return sum;
  }
}
