package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarConstraint;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.grammar.TestVocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ours and llama.cpp's grammar sampler follow the same grammars over the same tokens of a real
 * vocabulary, chosen by chance among those allowed, and must allow the same tokens at each step.
 *
 * <p>Three kinds of tokens are left out, where ours refuses on purpose: control tokens, whose text
 * is no part of an answer (llama.cpp matches it); bytes that no UTF-8 text has, such as overlong
 * forms (it decodes them); and NUL. Nor is a named token compared behind text, where llama.cpp
 * allows a token whose beginning completes the text, and then stops at its rest. Ours alone allows
 * the beginning of a character that may become one that a negated class excludes, as it may become
 * another too.
 *
 * <p>{@code -Docellus.grammars=DIR} adds the .gbnf files of a folder, such as llama.cpp's own;
 * {@code -Docellus.grammar.vocabulary=FILE} takes another vocabulary.
 */
class LlamaGrammarTest {
  private static final int WALKS = 3;
  private static final int STEPS = 20;

  static Stream<Path> grammars() throws IOException {
    List<Path> files = new ArrayList<>();
    List<Path> folders = new ArrayList<>(List.of(Path.of("src/test/resources/grammars")));
    String more = System.getProperty("ocellus.grammars");
    if (more != null) {
      folders.add(Path.of(more));
    }
    for (Path folder : folders) {
      try (Stream<Path> found = Files.list(folder)) {
        found.filter(f -> f.toString().endsWith(".gbnf")).sorted().forEach(files::add);
      }
    }
    return files.stream();
  }

  private static TestVocabulary vocabulary() throws IOException {
    String other = System.getProperty("ocellus.grammar.vocabulary");
    return other == null ? TestVocabulary.open() : TestVocabulary.open(Path.of(other));
  }

  @ParameterizedTest
  @MethodSource("grammars")
  void allowsTheSameTokensAsLlama(Path file) throws IOException {
    String gbnf = Files.readString(file);
    try (TestVocabulary real = vocabulary()) {
      compare(gbnf, real, new SplittableRandom(file.getFileName().toString().hashCode()));
    }
  }

  @ParameterizedTest
  @MethodSource("tokenGrammars")
  void allowsTheSameNamedTokensAsLlama(String gbnf) throws IOException {
    try (TestVocabulary real = TestVocabulary.open()) {
      compare(gbnf, real, new SplittableRandom(7));
    }
  }

  static Stream<String> tokenGrammars() {
    return Stream.of(
        "root ::= <|user|> [a-z]+ <|assistant|> .*",
        "root ::= <|user|> !<|assistant|>{1,5} <[32001]> \"x\"",
        "root ::= (<[1000]> | \"ab\" | <|system|>)+ \"!\"");
  }

  private static void compare(String gbnf, TestVocabulary real, SplittableRandom random) {
    Vocab vocab = real.vocab();
    GrammarVocabulary tokens = real.tokens();
    Grammar grammar =
        Grammar.parse(
            gbnf,
            Grammar.ROOT,
            text -> {
              int[] ids = vocab.tokenize(text, true);
              return ids.length == 1 ? OptionalInt.of(ids[0]) : OptionalInt.empty();
            });
    for (int walk = 0; walk < WALKS; walk++) {
      var ours = new GrammarConstraint(grammar, tokens);
      var text = new ByteArrayOutputStream();
      try (LlamaSampler theirs = LlamaSampler.grammar(vocab, gbnf)) {
        for (int step = 0; step < STEPS; step++) {
          BitSet allowed = ours.allowed();
          requireSame(allowed, theirs.allowed(vocab.nTokens()), vocab, text.toByteArray());
          int token = pick(allowed, vocab, random);
          if (vocab.isEndOfGeneration(token)) {
            break;
          }
          assertThat(ours.allows(token)).isTrue();
          ours.accept(token);
          theirs.accept(token);
          text.writeBytes(vocab.piece(token, true));
        }
      }
    }
  }

  private static int pick(BitSet allowed, Vocab vocab, SplittableRandom random) {
    assertThat(allowed.isEmpty()).isFalse();
    int token = -1;
    for (int i = 0; i < 3; i++) { // short tokens more often: they leave more to come
      int next = allowed.nextSetBit(random.nextInt(allowed.length()));
      if (token < 0 || vocab.piece(next, false).length < vocab.piece(token, false).length) {
        token = next;
      }
    }
    return token;
  }

  private static void requireSame(BitSet ours, BitSet theirs, Vocab vocab, byte[] text) {
    BitSet differing = (BitSet) ours.clone();
    differing.xor(theirs);
    for (int t = differing.nextSetBit(0); t >= 0; t = differing.nextSetBit(t + 1)) {
      byte[] piece = vocab.piece(t, false);
      boolean onPurpose =
          theirs.get(t)
              ? piece.length == 0 || piece[0] == 0 || !isUtf8(text, piece)
              : endsInsideCharacter(text, piece);
      assertThat(onPurpose)
          .as(
              "token %d '%s' after '%s': ours %s, theirs %s",
              t,
              vocab.text(t),
              new String(text, StandardCharsets.UTF_8),
              ours.get(t),
              theirs.get(t))
          .isTrue();
    }
  }

  private static boolean endsInsideCharacter(byte[] text, byte[] piece) {
    ByteBuffer all = ByteBuffer.allocate(text.length + piece.length).put(text).put(piece).flip();
    StandardCharsets.UTF_8.newDecoder().decode(all, CharBuffer.allocate(all.limit()), false);
    return all.hasRemaining();
  }

  /** Whether the bytes begin a valid text; it may end inside a character. */
  private static boolean isUtf8(byte[] text, byte[] piece) {
    ByteBuffer all = ByteBuffer.allocate(text.length + piece.length).put(text).put(piece).flip();
    var decoder = StandardCharsets.UTF_8.newDecoder();
    boolean valid = !decoder.decode(all, CharBuffer.allocate(all.limit()), false).isError();
    byte[] rest = new byte[all.remaining()];
    all.get(rest);
    // the decoder waits for the third byte before it refuses these
    return valid
        && !(rest.length > 0 && (rest[0] & 0xFF) > 0xF4)
        && !(rest.length > 1 && rest[0] == (byte) 0xED && (rest[1] & 0xFF) > 0x9F)
        && !(rest.length > 1 && rest[0] == (byte) 0xE0 && (rest[1] & 0xFF) < 0xA0)
        && !(rest.length > 1 && rest[0] == (byte) 0xF0 && (rest[1] & 0xFF) < 0x90)
        && !(rest.length > 1 && rest[0] == (byte) 0xF4 && (rest[1] & 0xFF) > 0x8F);
  }
}
