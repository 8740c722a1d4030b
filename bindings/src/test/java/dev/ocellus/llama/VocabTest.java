package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VocabTest {
  private static final Path RESOURCES = Path.of("src/test/resources/dev/ocellus/llama");
  private static final Path VOCAB = RESOURCES.resolve("vocab.gguf");

  @TempDir private Path folder;

  @Test
  void tokensAreThoseOfTheReferenceTokenizer() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      for (String line : Files.readAllLines(RESOURCES.resolve("vocab-cases.txt"))) {
        String[] parts = line.split("\t");
        String text = new String(HexFormat.of().parseHex(parts[0]), StandardCharsets.UTF_8);
        int[] expected = Arrays.stream(parts[1].split(" ")).mapToInt(Integer::parseInt).toArray();
        int[] tokens = model.vocab().tokenize(text, false);
        assertThat(tokens).as(text).containsExactly(expected);
        assertThat(text(model.vocab(), tokens)).isEqualTo(text);
      }
    }
  }

  @Test
  void controlTokensComeFromTemplatesOnly() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      Vocab vocab = model.vocab();
      int[] template = vocab.tokenize("<|im_start|>", true);
      int[] user = vocab.tokenize("<|im_start|>", false);
      assertThat(template).hasSize(1);
      assertThat(vocab.isControl(template[0])).isTrue();
      assertThat(user).hasSizeGreaterThan(1);
      assertThat(Arrays.stream(user)).noneMatch(vocab::isControl);
      assertThat(vocab.piece(template[0], false)).isEmpty();
      assertThat(vocab.piece(template[0], true)).asString().isEqualTo("<|im_start|>");
    }
  }

  @Test
  void refusesTokensThatDoNotExist() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      Vocab vocab = model.vocab();
      assertThatIllegalArgumentException().isThrownBy(() -> vocab.piece(-1, true));
      assertThatIllegalArgumentException().isThrownBy(() -> vocab.piece(vocab.nTokens(), true));
    }
  }

  @Test
  void aVocabularyMakesNoContext() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      assertThatIllegalStateException()
          .isThrownBy(() -> model.newContext(ContextOptions.defaults()));
    }
  }

  @Test
  void isNotUsableAfterItsModelWasClosed() throws IOException {
    Vocab vocab;
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      vocab = model.vocab();
    }
    assertThatIllegalStateException().isThrownBy(() -> vocab.tokenize("a", false));
  }

  /**
   * Each of these overflowed the stack of a Java thread, and with it ended the JVM, on the first of
   * these texts where it was called directly; the last two pre-tokenizers never did.
   */
  @ParameterizedTest
  @ValueSource(strings = {"tekken", "gpt-4o", "deepseek-llm", "default", "gpt-2", "qwen2"})
  void longWordsDoNotOverflowTheStack(String preTokenizer) throws IOException {
    try (LlamaModel model = withPreTokenizer(preTokenizer)) {
      for (String unit : List.of("a", " ", "!", "\n", "中", "aB", "a a")) {
        String text = unit.repeat(30_000 / unit.length());
        int[] tokens = model.vocab().tokenize(text, false);
        assertThat(text(model.vocab(), tokens)).isEqualTo(text);
      }
    }
  }

  @Test
  void refusesATextThatNoStackIsEnoughFor() throws IOException {
    try (LlamaModel model = withPreTokenizer("tekken")) {
      String text = "a".repeat(DeepStack.DEEPEST + 1);
      assertThatThrownBy(() -> model.vocab().tokenize(text, false))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("1048577 characters")
          .hasMessageContaining("parts");
    }
  }

  @Test
  void millionsOfCharactersAreFineForTheOthers() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(VOCAB)) {
      String text = "a".repeat(2_000_000);
      assertThat(model.vocab().tokenize(text, false)).isNotEmpty();
    }
  }

  private LlamaModel withPreTokenizer(String name) throws IOException {
    Path file = folder.resolve("vocab.gguf");
    try (GgufFile base = GgufFile.open(VOCAB)) {
      new GgufWriter().putAll(base.metadata()).string("tokenizer.ggml.pre", name).write(file);
    }
    return LlamaModel.loadVocabulary(file);
  }

  static String text(Vocab vocab, int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      bytes.writeBytes(vocab.piece(token, true));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
