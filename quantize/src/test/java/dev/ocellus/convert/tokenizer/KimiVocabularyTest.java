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

class KimiVocabularyTest {
  /** The last one is made of no two others. */
  private static final List<String> TOKENS = List.of("a", "b", "ab", "c", " ", "abc", "cba");

  private static final String CONFIG =
      """
      {"bos_token": "[BOS]", "eos_token": {"content": "[EOS]"}, "pad_token": "[PAD]",
       "added_tokens_decoder": {
         "7": {"content": "[BOS]"}, "8": {"content": "[EOS]"}, "10": {"content": "<|media_pad|>"}}}
      """;

  @TempDir Path directory;

  private void written(int nVocab, String config, Consumer<GgufMetadata> check) throws IOException {
    CheckpointBuilder.in(directory).config("{\"pad_token_id\": 9}").tensor("x", 1).write();
    StringBuilder ranks = new StringBuilder();
    for (String token : TOKENS) {
      byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
      ranks.append(Base64.getEncoder().encodeToString(bytes)).append(' ');
      ranks.append(TOKENS.indexOf(token)).append('\n');
    }
    Files.writeString(directory.resolve("tiktoken.model"), ranks);
    Files.writeString(directory.resolve("tokenizer_config.json"), config);
    Path file = directory.resolve("vocabulary.gguf");
    try (HfFolder folder = HfFolder.open(directory)) {
      GgufWriter out = new GgufWriter();
      new TokenizerConverter(folder, nVocab, null).writeKimi(out);
      out.write(file);
    }
    try (GgufFile f = GgufFile.open(file)) {
      check.accept(f.metadata());
    }
  }

  @Test
  void writesRanksMergesAndControlTokens() throws IOException {
    written(
        12,
        CONFIG,
        m -> {
          assertThat(m.array("tokenizer.ggml.tokens").strings())
              .containsExactly(
                  "a",
                  "b",
                  "ab",
                  "c",
                  "\u0120",
                  "abc",
                  "cba",
                  "[BOS]",
                  "[EOS]",
                  "<|reserved_token_9|>",
                  "<|media_pad|>",
                  "<|reserved_token_11|>");
          assertThat(m.array("tokenizer.ggml.token_type").longs())
              .containsExactly(1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3);
          assertThat(m.array("tokenizer.ggml.merges").strings()).containsExactly("a b", "ab c");
          assertThat(m.string("tokenizer.ggml.pre", "")).isEqualTo("kimi-k2");
          assertThat(m.int32("tokenizer.ggml.bos_token_id", -1)).isEqualTo(7);
          assertThat(m.int32("tokenizer.ggml.eos_token_id", -1)).isEqualTo(8);
          assertThat(m.int32("tokenizer.ggml.padding_token_id", -1)).isEqualTo(9);
        });
  }

  @Test
  void leavesIdsBehindTheReservedOnesUnused() throws IOException {
    written(
        270,
        CONFIG,
        m ->
            assertThat(m.array("tokenizer.ggml.tokens").strings())
                .endsWith(
                    "<|reserved_token_264|>",
                    "[PAD265]",
                    "[PAD266]",
                    "[PAD267]",
                    "[PAD268]",
                    "[PAD269]"));
  }

  @Test
  void refusesIdsThatAreNotBehindTheRanks() {
    assertThatThrownBy(() -> written(10, CONFIG, m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("ids from 7 to 9")
        .hasMessageContaining("'10'");
    assertThatThrownBy(() -> written(12, CONFIG.replace("\"8\"", "\"x\""), m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("'x'");
  }
}
