package dev.ocellus.vlm.sampling.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.LazyConstraint;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.Samplers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LazyConstraintTest {
  private static final String CONTROL = "<|assistant|>";

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

  private static LazyConstraint constraint(String gbnf, List<String> patterns, int... triggers) {
    Vocab vocab = real.vocab();
    Grammar grammar = Grammar.parse(gbnf, Grammar.ROOT, text -> OptionalInt.of(control()));
    return new LazyConstraint(
        new GrammarConstraint(grammar, tokens),
        patterns.stream().map(Pattern::compile).toList(),
        Arrays.stream(triggers).boxed().toList(),
        token -> vocab.piece(token, false));
  }

  private static int control() {
    int[] ids = real.vocab().tokenize(CONTROL, true);
    assertThat(ids).hasSize(1);
    return ids[0];
  }

  /** A model that wants one token after another, and then anything; ends when it has to. */
  private static String write(LazyConstraint constraint, int[] wanted, long seed) {
    var sampler = new ConstrainedSampler(SamplerChain.of(Samplers.greedy()), constraint);
    var random = new SplittableRandom(seed);
    var text = new ByteArrayOutputStream();
    float[] logits = new float[tokens.size()];
    for (int i = 0; i < 40 && !constraint.mustEnd(); i++) {
      for (int t = 0; t < logits.length; t++) {
        logits[t] = (float) random.nextDouble(-4, 4) - (tokens.ends(t) ? 20 : 0);
      }
      if (i < wanted.length) {
        logits[wanted[i]] = 10;
      }
      constraint.setTokensLeft(40 - i);
      text.writeBytes(real.vocab().piece(sampler.sample(FloatBuffer.wrap(logits)), true));
    }
    assertThat(constraint.isComplete()).isTrue();
    return text.toString(StandardCharsets.UTF_8);
  }

  private static int[] bytes(String text) {
    return text.chars().map(tokens::byteToken).toArray();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void holdsTheRestToTheGrammarFromAWordOn(long seed) {
    var constraint = constraint("root ::= \"<call>\" [x-z]{3} \"!\"", List.of("\\Q<call>\\E"));
    assertThat(write(constraint, bytes("Well, <call>oh"), seed)).matches("Well, <call>[xyz]{3}!");
    assertThat(constraint.isTriggered()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void holdsTheRestToTheGrammarFromTheGroupOfAPatternOn(long seed) {
    var constraint = constraint("root ::= \"{\" [0-9]+ \"}\"", List.of("answer:\\s*(\\{)"));
    assertThat(write(constraint, bytes("a{b answer: {nothing"), seed))
        .matches("a\\{b answer: \\{[0-9]+}");
    assertThat(constraint.isTriggered()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void holdsTheRestToTheGrammarFromAControlTokenOn(long seed) {
    var constraint = constraint("root ::= " + CONTROL + " [x-z]{3} \"!\"", List.of(), control());
    int[] before = bytes("Well ");
    int[] wanted = Arrays.copyOf(before, before.length + 1);
    wanted[before.length] = control();
    assertThat(write(constraint, wanted, seed)).matches("Well <\\|assistant\\|>[xyz]{3}!");
    assertThat(constraint.isTriggered()).isTrue();
  }
}
