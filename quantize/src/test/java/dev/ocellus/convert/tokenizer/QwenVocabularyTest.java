package dev.ocellus.convert.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.CheckpointBuilder;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QwenVocabularyTest {
  /** Rank 4 is made of ranks 0 and 3, though 2 and another could make it, too. */
  private static final List<String> TOKENS = List.of("a", "b", "ab", "bc", "c", " ", "abc", "\n");

  @TempDir Path directory;

  private void written(
      int nVocab, int imageStart, boolean raw, String ranks, Consumer<GgufMetadata> check)
      throws IOException {
    CheckpointBuilder.in(directory).config("{}").tensor("x", 1).write();
    Files.writeString(directory.resolve("qwen.tiktoken"), ranks);
    Path file = directory.resolve("vocabulary.gguf");
    try (HfFolder folder = HfFolder.open(directory)) {
      GgufWriter out = new GgufWriter();
      new TokenizerConverter(folder, nVocab, null).writeQwen(out, imageStart, raw);
      out.write(file);
    }
    try (GgufFile f = GgufFile.open(file)) {
      check.accept(f.metadata());
    }
  }

  private static String ranks() {
    StringBuilder out = new StringBuilder();
    for (String token : TOKENS) {
      byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
      out.append(Base64.getEncoder().encodeToString(bytes))
          .append(' ')
          .append(TOKENS.indexOf(token))
          .append('\n');
    }
    return out.toString();
  }

  @Test
  void writesRanksMergesAndTheTokensOfTheCode() throws IOException {
    written(
        24,
        19,
        false,
        ranks(),
        m -> {
          assertThat(m.array("tokenizer.ggml.tokens").strings())
              .startsWith("a", "b", "ab", "bc", "c", "\u0120", "abc", "\u010a", "<|endoftext|>")
              .containsSubsequence("<|im_end|>", "<|extra_0|>", "<|extra_1|>", "<ref>")
              .endsWith("</quad>", "<img>", "</img>", "<imgpad>", "[PAD22]", "[PAD23]");
          assertThat(m.array("tokenizer.ggml.token_type").longs())
              .endsWith(3, 3, 3, 4, 4, 4, 4, 4, 4, 3, 3, 3, 5, 5);
          // "abc": of its pairs, "ab" has the lower rank
          assertThat(m.array("tokenizer.ggml.merges").strings())
              .containsExactly("a b", "b c", "ab c");
          assertThat(m.string("tokenizer.ggml.model")).isEqualTo("gpt2");
          assertThat(m.string("tokenizer.ggml.pre")).isEqualTo("qwen2");
          assertThat(m.int32("tokenizer.ggml.eos_token_id")).isEqualTo(8);
          assertThat(m.string("tokenizer.chat_template")).contains("Picture ", "<|im_start|>");
        });
  }

  @Test
  void hasTheExtraTokensOfThePublishedModelsWhereThereAreNoImages() throws IOException {
    written(
        240,
        TokenizerConverter.NO_IMAGES,
        false,
        ranks(),
        m -> {
          assertThat(m.array("tokenizer.ggml.tokens").strings())
              .contains("<|extra_204|>")
              .doesNotContain("<|extra_205|>", "<img>");
          assertThat(m.contains("tokenizer.chat_template")).isFalse();
        });
  }

  @Test
  void writesThePlainTemplateOfTheModelThatIsNotForChats() throws IOException {
    written(
        24,
        19,
        true,
        ranks(),
        m ->
            assertThat(m.string("tokenizer.chat_template"))
                .contains("<img></img>")
                .doesNotContain("im_start"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"YQ==", "YQ== x", "!!! 3", "YQ== 99", "YQ== -1", " 3", "YQ== 0 1"})
  void namesTheLineThatIsDamaged(String line) {
    assertThatThrownBy(() -> written(24, 19, false, ranks() + line + "\n", m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("qwen.tiktoken", "line 9");
  }

  @Test
  void refusesTokensThatNothingMakes() {
    String lonely = ranks().replace("YWI= 2\n", "").replace(" 3\n", " 2\n");
    assertThatThrownBy(() -> written(24, 19, false, lonely + "eHl6 3\n", m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("qwen.tiktoken");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16, 1000})
  void refusesIdsThatDoNotFit(int imageStart) {
    assertThatThrownBy(() -> written(24, imageStart, false, ranks(), m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("image_start_id");
  }
}
