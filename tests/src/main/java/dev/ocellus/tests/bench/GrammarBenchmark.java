package dev.ocellus.tests.bench;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarConstraint;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a grammar costs at a vocabulary of 151,936 tokens, here and in llama.cpp. Both choose freely
 * first and look at the vocabulary only when that choice is refused.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class GrammarBenchmark {
  private static final String GBNF =
      """
      root ::= "{\\"title\\": " string ", \\"tags\\": [" (string (", " string)*)? "], \\"count\\": " [0-9]{1,3} "}"
      string ::= "\\"" ([^"\\\\\\x7F\\x00-\\x1F] | "\\\\" ["\\\\/bfnrt])* "\\""
      """;
  private static final String ANSWER =
      "{\"title\": \"Three shapes\", \"tags\": [\"red circle\", \"blue square\"], \"count\": 3}";

  /** The name that follows is fixed, so that nearly every free choice is refused. */
  private static final String BEFORE_A_NAME = "{\"title\": \"x\", \"ta";

  private static final String INSIDE_A_STRING = "{\"title\": \"";

  private final SamplerChain chain = SamplingOptions.builder().seed(1).build().toChain();
  private final Grammar grammar = Grammar.parse(GBNF);
  private final LlamaModel model;
  private final GrammarVocabulary vocabulary;
  private final int[] answer;
  private final int[] beforeAName;
  private final int[] insideAString;
  private final FloatBuffer[] wanting;
  private final FloatBuffer random;
  private final GrammarConstraint known;
  private final WideModel theirs;
  private final int randomRow;
  private final MemorySegment theirChain;
  private final MemorySegment theirGrammar;
  private final MemorySegment theirMaskedChain;

  public GrammarBenchmark() {
    int rows = 128;
    theirs = new WideModel(rows);
    try {
      model = LlamaModel.loadVocabulary(theirs.file());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Vocab vocab = model.vocab();
    vocabulary =
        new GrammarVocabulary(
            vocab.nTokens(), token -> vocab.piece(token, false), vocab::isEndOfGeneration);
    answer = vocab.tokenize(ANSWER, false);
    beforeAName = vocab.tokenize(BEFORE_A_NAME, false);
    insideAString = vocab.tokenize(INSIDE_A_STRING, false);
    RandomLogits logits = new RandomLogits(vocab.nTokens());
    wanting = logits.wanting(answer);
    random = logits.next();
    for (int i = 0; i < answer.length; i++) {
      theirs.put(i, wanting[i]);
    }
    randomRow = answer.length;
    theirs.put(randomRow, random);
    known = new GrammarConstraint(grammar, vocabulary);
    theirGrammar = theirs.grammar(GBNF);
    theirChain = theirs.chain(MemorySegment.NULL);
    theirMaskedChain = theirs.chain(theirs.grammar(GBNF));
    System.out.printf("The answer has %d tokens.%n", answer.length);
  }

  @TearDown
  public void close() throws IOException {
    ggml_h.llama_sampler_free(theirChain);
    ggml_h.llama_sampler_free(theirMaskedChain);
    ggml_h.llama_sampler_free(theirGrammar);
    model.close();
    theirs.close();
  }

  /** A whole answer without a grammar. */
  @Benchmark
  public int answerFree() {
    int sum = 0;
    for (FloatBuffer logits : wanting) {
      sum += chain.sample(logits);
    }
    return sum;
  }

  /** The same answer by a grammar that allows it; nothing is remembered from another. */
  @Benchmark
  public int answerByGrammar() {
    var sampler = new ConstrainedSampler(chain, new GrammarConstraint(grammar, vocabulary));
    int sum = 0;
    for (FloatBuffer logits : wanting) {
      sum += sampler.sample(logits);
    }
    if (sampler.refused() > 0) {
      throw new AssertionError("the grammar refuses the answer");
    }
    return sum;
  }

  @Benchmark
  public int answerFreeOfLlamaCpp() {
    int sum = 0;
    for (int i = 0; i < answer.length; i++) {
      sum += theirs.sample(theirChain, i);
    }
    return sum;
  }

  @Benchmark
  public int answerByGrammarOfLlamaCpp() {
    ggml_h.llama_sampler_reset(theirGrammar);
    int sum = 0;
    for (int i = 0; i < answer.length; i++) {
      int token = theirs.sample(theirChain, i);
      if (!theirs.allows(theirGrammar, token)) {
        throw new AssertionError("the grammar refuses the answer");
      }
      ggml_h.llama_sampler_accept(theirGrammar, token);
      sum += token;
    }
    return sum;
  }

  /** A token whose first choice is refused, at a place where the grammar has been before. */
  @Benchmark
  public int refusedAgain() {
    return refused(known, beforeAName);
  }

  /** A token whose first choice is refused, at a place that is new. */
  @Benchmark
  public int refusedFirst() {
    return refused(new GrammarConstraint(grammar, vocabulary), beforeAName);
  }

  private int refused(GrammarConstraint constraint, int[] before) {
    constraint.reset();
    for (int token : before) {
      constraint.accept(token);
    }
    return new ConstrainedSampler(chain, constraint).sample(random);
  }

  @Benchmark
  public int refusedOfLlamaCpp() {
    return theirMasked(beforeAName);
  }

  /** Which tokens may follow inside a string, looked up in the whole vocabulary. */
  @Benchmark
  public int newMaskInsideAString() {
    var constraint = new GrammarConstraint(grammar, vocabulary);
    for (int token : insideAString) {
      constraint.accept(token);
    }
    constraint.allowed();
    return new ConstrainedSampler(chain, constraint).sample(random);
  }

  @Benchmark
  public int maskInsideAStringOfLlamaCpp() {
    return theirMasked(insideAString);
  }

  private int theirMasked(int[] before) {
    ggml_h.llama_sampler_reset(theirMaskedChain);
    for (int token : before) {
      ggml_h.llama_sampler_accept(theirMaskedChain, token);
    }
    return theirs.sample(theirMaskedChain, randomRow);
  }
}
