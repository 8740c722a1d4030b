package dev.ocellus.vlm.grammar;

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
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

  /**
   * Whether a trigger is found at the same token as in the whole text, and what follows from it.
   */
  private static void assertFoundWhereItIs(String pattern, String text, SplittableRandom random) {
    var free = constraint("root ::= .* [a-z<]* .*", List.of(pattern));
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int at = 0;
    while (at < utf8.length && !free.isTriggered()) {
      int length = Math.min(utf8.length - at, random.nextInt(1, 5));
      for (int i = at; i < at + length; i++) {
        free.accept(tokens.byteToken(utf8[i] & 0xFF));
      }
      at += length;
    }
    boolean whole = Pattern.compile(pattern).matcher(text).find();
    assertThat(free.isTriggered()).as("%s in %s", pattern, text).isEqualTo(whole);
    if (whole) {
      String soFar = new String(utf8, 0, at, StandardCharsets.UTF_8);
      assertThat(Pattern.compile(pattern).matcher(soFar).find()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<call>",
        "a+b",
        "(?<=x )y",
        "\\by\\b.",
        "^<c",
        "(?s)<.*>",
        "é+(ü)",
        "(a|ab)(c|bcd)!",
        "x(?!y).",
        "😀<"
      })
  void findsTriggersAcrossTokens(String pattern) {
    String alphabet = "<>acllx ybé😀ü!";
    int[] characters = alphabet.codePoints().toArray();
    var random = new SplittableRandom(pattern.hashCode());
    for (int i = 0; i < 60; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(30); n > 0; n--) {
        text.appendCodePoint(characters[random.nextInt(characters.length)]);
      }
      text.append(i % 3 == 0 ? "<call>aab y ééü abcd! xa😀<" : "<cal");
      assertFoundWhereItIs(pattern, text.toString(), random);
    }
  }

  @Test
  void beginsAtTheTriggerAndNotBefore() {
    var constraint = constraint("root ::= \"<c>\" [0-9]", List.of("<c>"));
    for (byte b : "é <c <c".getBytes(StandardCharsets.UTF_8)) {
      constraint.accept(tokens.byteToken(b & 0xFF));
    }
    assertThat(constraint.isTriggered()).isFalse();
    byte[] both = {'>', '>'};
    int two =
        IntStream.range(0, tokens.size())
            .filter(t -> Arrays.equals(real.vocab().piece(t, false), both))
            .findFirst()
            .orElseThrow();
    assertThat(constraint.allows(two)).as(">>").isFalse();
    constraint.accept(tokens.byteToken('>'));
    assertThat(constraint.isTriggered()).isTrue();
    assertThat(constraint.allows(tokens.byteToken('x'))).isFalse();
    assertThat(constraint.allows(tokens.byteToken('7'))).isTrue();
  }
}
