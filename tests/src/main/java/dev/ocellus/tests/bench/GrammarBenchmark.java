package dev.ocellus.tests.bench;

import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.LazyConstraint;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.sampling.TokenConstraint;
import dev.ocellus.vlm.sampling.grammar.ControlTokens;
import dev.ocellus.vlm.sampling.grammar.Grammar;
import dev.ocellus.vlm.sampling.grammar.GrammarConstraint;
import dev.ocellus.vlm.sampling.grammar.GrammarVocabulary;
import dev.ocellus.vlm.sampling.grammar.ToolGrammar;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.Tool;
import dev.ocellus.vlm.tool.ToolChoice;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
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

/**
 * The time that a JSON schema adds to the choice of a token, at a vocabulary of 151,936 tokens of 1
 * to 8 characters.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class GrammarBenchmark {
  private static final int VOCABULARY = 151_936;
  private static final int TOKENS = 64;
  private static final int DIFFERENT = 16;
  private static final int LATE = 8_000;
  private static final String LETTERS =
      "etaoinshrdlucmfwypvbgkjqxz      ETAOIN0123456789.,:;-\"{}[]\n";
  private static final String SCHEMA =
      """
      {"type": "object", "properties": {
         "title": {"type": "string"},
         "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}},
         "count": {"type": "integer", "minimum": 0, "maximum": 100}},
       "required": ["title", "tags", "count"]}\
      """;

  private final Grammar grammar = Grammar.ofJsonSchema(SCHEMA);
  private final GrammarVocabulary vocabulary;
  private final FloatBuffer[] logits = new FloatBuffer[DIFFERENT];
  private final SamplerChain chain = SamplingOptions.builder().seed(1).build().toChain();
  private final GrammarConstraint beforeName;
  private final LazyConstraint waiting;
  private final GrammarConstraint freeText;
  private int turn;

  public GrammarBenchmark() {
    SplittableRandom random = new SplittableRandom(1);
    byte[][] texts = new byte[VOCABULARY][];
    for (int t = 0; t < VOCABULARY; t++) {
      if (t < 256) {
        texts[t] = new byte[] {(byte) t};
      } else {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(2, 9); n > 0; n--) {
          text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        texts[t] = text.toString().getBytes(StandardCharsets.UTF_8);
      }
    }
    int end = VOCABULARY - 1;
    texts[end] = new byte[0];
    vocabulary = new GrammarVocabulary(VOCABULARY, t -> texts[t], t -> t == end);
    for (int i = 0; i < DIFFERENT; i++) {
      float[] values = new float[VOCABULARY];
      for (int t = 0; t < VOCABULARY; t++) {
        double gauss =
            Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
                * Math.cos(2 * Math.PI * random.nextDouble());
        values[t] = (float) (3 * gauss);
      }
      logits[i] = FloatBuffer.wrap(values);
    }
    waiting =
        new LazyConstraint(
            new GrammarConstraint(grammar, vocabulary),
            List.of(Pattern.compile("<tool_call>"), Pattern.compile("answer:\\s*(\\{)")),
            List.of(),
            t -> texts[t]);
    Tool tool = new Tool("f", "{\"function\": {\"name\": \"f\", \"parameters\": " + SCHEMA + "}}");
    freeText =
        new GrammarConstraint(
            ToolGrammar.of(
                    AnswerFormat.of("<think> <tool_call>"),
                    "",
                    List.of(tool),
                    ToolChoice.AUTO,
                    ControlTokens.of(vocabulary, Map.of()))
                .orElseThrow(),
            vocabulary);
    for (int i = 0; i < LATE / TOKENS; i++) {
      tokens(waiting);
      tokens(freeText);
    }
    beforeName = after("{\"title\": \"x\", \"ta");
  }

  private FloatBuffer next() {
    turn = (turn + 1) % DIFFERENT;
    return logits[turn];
  }

  private GrammarConstraint after(String text) {
    var constraint = new GrammarConstraint(grammar, vocabulary);
    constraint.acceptText(text.getBytes(StandardCharsets.UTF_8));
    return constraint;
  }

  /** Without a grammar. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int free() {
    int sum = 0;
    for (int i = 0; i < TOKENS; i++) {
      sum += chain.sample(next());
    }
    return sum;
  }

  /** A new answer each time: nothing is remembered from the one before. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int schema() {
    var constraint = new GrammarConstraint(grammar, vocabulary);
    var sampler = new ConstrainedSampler(chain, constraint);
    int sum = 0;
    for (int i = 0; i < TOKENS; i++) {
      constraint.setTokensLeft(TOKENS - i);
      if (constraint.mustEnd()) {
        break;
      }
      sum += sampler.sample(next());
    }
    return sum;
  }

  /** Inside a string, where most first choices are allowed. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int insideAString() {
    int sum = 0;
    var constraint = after("{\"title\": \"");
    for (int i = 0; i < TOKENS; i++) {
      int token = chain.choose(next()).token(0);
      sum += constraint.allows(token) ? 1 : 0;
    }
    return sum;
  }

  /** Where the text is fixed, so that every first choice is refused; the mask is remembered. */
  @Benchmark
  public int refused() {
    return beforeName.allows(chain.choose(next()).token(0)) ? 1 : mask();
  }

  private int mask() {
    BitSet allowed = beforeName.allowed();
    return allowed.cardinality();
  }

  /** Which tokens may follow inside a string, looked up in the whole vocabulary. */
  @Benchmark
  public BitSet newMask() {
    return after("{\"title\": \"").allowed();
  }

  /** A grammar that waits for its trigger, late in a text: 8,000 tokens and more. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int waiting() {
    return tokens(waiting);
  }

  /** The same with a grammar of the whole answer, in which text is free up to the trigger. */
  @Benchmark
  @OperationsPerInvocation(TOKENS)
  public int freeText() {
    return tokens(freeText);
  }

  private int tokens(TokenConstraint constraint) {
    int sum = 0;
    for (int i = 0; i < TOKENS; i++) {
      int token = 256 + (turn = (turn + 1) % LATE);
      if (constraint.allows(token)) {
        constraint.accept(token);
        sum++;
      }
    }
    return sum;
  }
}
