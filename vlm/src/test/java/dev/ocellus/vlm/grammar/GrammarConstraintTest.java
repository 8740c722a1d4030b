package dev.ocellus.vlm.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.Samplers;
import dev.ocellus.vlm.sampling.SamplingException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarConstraintTest {
  private static final String JSON =
      """
      {"type": "object", "properties": {
         "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
         "age": {"type": "integer", "minimum": 18, "maximum": 99}},
       "required": ["name", "age"]}\
      """;

  private static TestVocabulary real;
  private static GrammarVocabulary tokens;

  @BeforeAll
  static void open() throws IOException {
    real = TestVocabulary.open();
    tokens = real.tokens();
  }

  @AfterAll
  static void close() {
    real.close();
  }

  /** Writes with random logits until the end or the limit; gives null if it did not end. */
  private static @Nullable String write(Grammar grammar, int limit, SplittableRandom random) {
    Vocab vocab = real.vocab();
    var constraint = new GrammarConstraint(grammar, tokens);
    var sampler = new ConstrainedSampler(SamplerChain.of(Samplers.greedy()), constraint);
    var text = new ByteArrayOutputStream();
    float[] logits = new float[vocab.nTokens()];
    for (int left = limit; left > 0; left--) {
      for (int i = 0; i < logits.length; i++) {
        logits[i] = (float) random.nextDouble(-4, 4) - (vocabEnds(i) ? 20 : 0);
      }
      constraint.setTokensLeft(left);
      int token = sampler.sample(FloatBuffer.wrap(logits));
      if (vocabEnds(token)) {
        break;
      }
      text.writeBytes(vocab.piece(token, false));
    }
    return constraint.isComplete() ? text.toString(StandardCharsets.UTF_8) : null;
  }

  private static boolean vocabEnds(int token) {
    return tokens.ends(token);
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 25, 40, 80, 300})
  void endsInTimeWhateverTheModelWants(int limit) {
    Grammar grammar = JsonSchemaGrammar.of(JSON);
    var random = new SplittableRandom(limit);
    for (int i = 0; i < 8; i++) {
      String text = write(grammar, limit, random);
      assertThat(text).as("limit %d", limit).isNotNull();
      assertThat(grammar.matches(text)).as(text).isTrue();
    }
  }

  @Test
  void endsExactlyAtTheLeastLimit() {
    Grammar grammar = Grammar.parse("root ::= \"{\" [a-z]{4} .* \"}\"");
    int min = 1;
    while (write(grammar, min, new SplittableRandom(1)) == null) {
      min++;
    }
    assertThat(min).isBetween(2, 6);
    for (int limit = min; limit < min + 5; limit++) {
      assertThat(write(grammar, limit, new SplittableRandom(limit))).isNotNull();
    }
  }

  @Test
  void allowsTheEndOnlyWhereTheGrammarIsComplete() {
    var constraint = new GrammarConstraint(Grammar.parse("root ::= \"ab\"+"), tokens);
    int eos = real.vocab().eos();
    assertThat(constraint.allows(eos)).isFalse();
    assertThat(constraint.allowed().get(eos)).isFalse();
    accept(constraint, "ab");
    assertThat(constraint.allows(eos)).isTrue();
    assertThat(constraint.allowed().get(eos)).isTrue();
    assertThat(constraint.mustEnd()).isFalse();
    constraint.accept(eos);
    assertThat(constraint.isComplete()).isTrue();
  }

  @Test
  void masksTheTokensThatItRefusesOneByOne() {
    var random = new SplittableRandom(5);
    var constraint = new GrammarConstraint(JsonSchemaGrammar.of(JSON), tokens);
    for (int step = 0; step < 40 && !constraint.mustEnd(); step++) {
      constraint.setTokensLeft(60 - step);
      BitSet allowed = constraint.allowed();
      for (int token = 0; token < tokens.size(); token++) {
        assertThat(constraint.allows(token)).as("token %d", token).isEqualTo(allowed.get(token));
      }
      int token = allowed.nextSetBit(random.nextInt(allowed.length()));
      if (tokens.ends(token)) {
        break;
      }
      constraint.accept(token);
    }
    assertThat(constraint.isComplete() || constraint.allowed().cardinality() > 0).isTrue();
  }

  /** The likeliest of the tokens that are allowed one by one: no mask, nothing remembered. */
  private static int likeliest(GrammarConstraint constraint, float[] logits) {
    int best = -1;
    for (int token = 0; token < logits.length; token++) {
      if ((best < 0 || logits[token] > logits[best]) && constraint.allows(token)) {
        best = token;
      }
    }
    return best;
  }

  private static float[] randomLogits(SplittableRandom random) {
    float[] logits = new float[tokens.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextDouble(-4, 4) - (tokens.ends(i) ? 20 : 0);
    }
    return logits;
  }

  @ParameterizedTest
  @CsvSource({"12, true", "30, true", "4096, false"})
  void choosesTheLikeliestThatIsAllowedAndLooksAtTheLimitOnlyNearIt(int limit, boolean near) {
    var random = new SplittableRandom(limit);
    var constraint =
        new GrammarConstraint(Grammar.parse("root ::= \"(\" root \"~Q\" | [a-z]+"), tokens);
    var sampler = new ConstrainedSampler(SamplerChain.of(Samplers.greedy()), constraint);
    for (int left = limit; left > Math.max(0, limit - 40) && !constraint.mustEnd(); left--) {
      float[] logits = randomLogits(random);
      logits[tokens.byteToken('%')] = 10; // never allowed
      logits[tokens.byteToken('(')] = 9; // a model that opens brackets until it must not
      constraint.setTokensLeft(left);
      int expected = likeliest(constraint, logits);
      assertThat(sampler.sample(FloatBuffer.wrap(logits))).isEqualTo(expected);
    }
    assertThat(sampler.refused()).isGreaterThan(2);
    assertThat(sampler.tooLong() > 0).as("%d", sampler.tooLong()).isEqualTo(near);
  }

  @Test
  void aFarLimitChangesNoRandomChoice() {
    var random = new SplittableRandom(3);
    Grammar grammar = JsonSchemaGrammar.of(JSON);
    var far = new GrammarConstraint(grammar, tokens);
    var none = new GrammarConstraint(grammar, tokens);
    var withLimit = new ConstrainedSampler(SamplerChain.of(Samplers.distribution(7)), far);
    var without = new ConstrainedSampler(SamplerChain.of(Samplers.distribution(7)), none);
    for (int left = 4096; left > 4056 && !none.mustEnd(); left--) {
      float[] logits = randomLogits(random);
      far.setTokensLeft(left);
      assertThat(withLimit.sample(FloatBuffer.wrap(logits)))
          .isEqualTo(without.sample(FloatBuffer.wrap(logits)));
      assertThat(far.allowed()).isEqualTo(none.allowed());
    }
    assertThat(without.refused()).isGreaterThan(4);
  }

  @Test
  void neverAllowsControlTokensAsText() {
    var constraint = new GrammarConstraint(Grammar.parse("root ::= .*"), tokens);
    for (Vocab.SpecialToken special : real.vocab().specialTokens()) {
      assertThat(constraint.allows(special.id()))
          .as(special.text())
          .isEqualTo(tokens.ends(special.id()));
    }
  }

  @Test
  void refusesAForeignTokenAndStaysUsable() {
    var constraint = new GrammarConstraint(Grammar.parse("root ::= \"yes\""), tokens);
    int no = real.vocab().tokenize("no", false)[0];
    assertThatThrownBy(() -> constraint.accept(no)).isInstanceOf(IllegalArgumentException.class);
    accept(constraint, "yes");
    assertThat(constraint.mustEnd()).isTrue();
  }

  @Test
  void saysWhenABiasForbidsAllThatTheGrammarAllows() {
    var sampler =
        new ConstrainedSampler(
            SamplerChain.of(Samplers.greedy()),
            new GrammarConstraint(Grammar.parse("root ::= \"yes\""), tokens));
    float[] logits = new float[tokens.size()];
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    logits[real.vocab().tokenize("no", false)[0]] = 1;
    assertThatThrownBy(() -> sampler.sample(FloatBuffer.wrap(logits)))
        .isInstanceOf(SamplingException.class)
        .hasMessageContaining("allows none");
  }

  @Test
  void chainsTakeAConstraintAsASampler() {
    var chain =
        SamplerChain.of(
            Samplers.constraint(new GrammarConstraint(Grammar.parse("root ::= \"y\""), tokens)),
            Samplers.greedy());
    assertThat(real.vocab().piece(chain.sample(new float[tokens.size()]), false))
        .isEqualTo(new byte[] {'y'});
  }

  private static void accept(GrammarConstraint constraint, String text) {
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      constraint.accept(tokens.byteToken(b & 0xFF));
    }
  }
}
