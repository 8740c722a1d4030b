package dev.ocellus.convert.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.CheckpointBuilder;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerConverterTest {
  @TempDir Path directory;

  private void written(int nVocab, Consumer<GgufMetadata> check) throws IOException {
    CheckpointBuilder.in(directory).config("{\"bos_token_id\": 1}").tensor("x", 1).write();
    Path file = directory.resolve("vocabulary.gguf");
    try (HfFolder folder = HfFolder.open(directory)) {
      GgufWriter out = new GgufWriter();
      new TokenizerConverter(folder, nVocab, null).write(out);
      out.write(file);
    }
    try (GgufFile f = GgufFile.open(file)) {
      check.accept(f.metadata());
    }
  }

  /** A message of protobuf, field by field. */
  private static final class Proto {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Proto bytes(int field, byte[] value) {
      out.write(field << 3 | 2);
      out.write(value.length); // short ones only
      out.writeBytes(value);
      return this;
    }

    Proto number(int field, int value) {
      out.write(field << 3);
      out.write(value);
      return this;
    }

    Proto piece(String text, float score, int kind) {
      Proto p = new Proto().bytes(1, text.getBytes(StandardCharsets.UTF_8));
      p.out.write(2 << 3 | 5);
      p.out.writeBytes(
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(score).array());
      if (kind != 1) {
        p.number(3, kind);
      }
      return bytes(1, p.out.toByteArray());
    }

    byte[] toBytes() {
      return out.toByteArray();
    }
  }

  private static Proto sentencePiece() {
    return new Proto()
        .piece("<unk>", 0, 2)
        .piece("<s>", 0, 3)
        .piece("<0x0A>", 0, 6)
        .piece("\u2581a", -1, 1)
        .piece("mine", 0, 4);
  }

  @Test
  void readsASentencePieceModel() throws IOException {
    Proto pieces = sentencePiece();
    byteTokens().forEach(text -> pieces.piece(text, 0, 6));
    byte[] model = pieces.bytes(2, new Proto().number(3, 2).toBytes()).toBytes();
    Files.write(directory.resolve("tokenizer.model"), model);
    Files.writeString(directory.resolve("added_tokens.json"), "{\"<extra>\": 260, \"<far>\": 999}");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"added_tokens_decoder\": {\"261\": {\"content\": \"<|end|>\", \"special\": false}}}");
    written(
        263,
        m -> {
          assertThat(m.string("tokenizer.ggml.model")).isEqualTo("llama");
          assertThat(m.array("tokenizer.ggml.tokens").strings())
              .startsWith("<unk>", "<s>", "<0x0A>", "\u2581a", "mine", "<0x00>")
              .endsWith("<0xFF>", "<extra>", "<|end|>", "[PAD262]");
          assertThat(m.array("tokenizer.ggml.token_type").longs())
              .startsWith(2, 3, 6, 1, 1, 6)
              .endsWith(6, 4, 3, 5);
          assertThat(m.floats("tokenizer.ggml.scores"))
              .startsWith(0, 0, 0, -1, 0)
              .endsWith(0, -1000, -1000, -10000);
          assertThat(m.int32("tokenizer.ggml.bos_token_id")).isEqualTo(1);
        });
  }

  /** All but that of the line feed, which {@link #sentencePiece} has. */
  private static List<String> byteTokens() {
    return IntStream.range(0, 256).filter(b -> b != 10).mapToObj("<0x%02X>"::formatted).toList();
  }

  /** Every use of such a file would be refused. */
  @Test
  void refusesASentencePieceModelWithoutATokenForEveryByte() throws IOException {
    byte[] model = sentencePiece().bytes(2, new Proto().number(3, 2).toBytes()).toBytes();
    Files.write(directory.resolve("tokenizer.model"), model);
    assertThatThrownBy(() -> written(5, m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("tokenizer.model", "for every byte", "<0x00>");
  }

  @Test
  void tellsUnigramModelsFromBpe() throws IOException {
    Proto normalizer = new Proto().bytes(2, new byte[] {1, 2, 3}).number(3, 0).number(4, 1);
    byte[] model =
        sentencePiece()
            .bytes(2, new Proto().number(3, 1).toBytes())
            .bytes(3, normalizer.toBytes())
            .toBytes();
    Files.write(directory.resolve("tokenizer.model"), model);
    written(
        5,
        m -> {
          assertThat(m.string("tokenizer.ggml.model")).isEqualTo("t5");
          assertThat(m.bool("tokenizer.ggml.add_space_prefix", true)).isFalse();
          assertThat(m.bool("tokenizer.ggml.remove_extra_whitespaces", false)).isTrue();
          assertThat(m.array("tokenizer.ggml.precompiled_charsmap").longs())
              .containsExactly(1, 2, 3);
        });
  }

  @Test
  void refusesASentencePieceModelThatIsCutOff() throws IOException {
    byte[] model = sentencePiece().toBytes();
    Files.write(directory.resolve("tokenizer.model"), java.util.Arrays.copyOf(model, 20));
    assertThatThrownBy(() -> written(5, m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("tokenizer.model");
  }

  private void writeMerges(List<String> byteTokens) throws IOException {
    StringBuilder vocabulary = new StringBuilder();
    for (String token : byteTokens) {
      vocabulary.append(", \"%s\": %d".formatted(token, 7 + byteTokens.indexOf(token)));
    }
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                          {"id": 6, "content": "<end>", "special": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}]},
         "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
           "vocab": {"<unk>": 0, "<0x0A>": 1, "a": 2, "b": 3, "ba": 4, "ab": 5, "<end>": 6%s},
           "merges": ["a b", "b a"]}}
        """
            .formatted(vocabulary));
  }

  @Test
  void makesScoresOfTheOrderOfMerges() throws IOException {
    writeMerges(byteTokens());
    written(
        7 + 255,
        m -> {
          assertThat(m.string("tokenizer.ggml.model")).isEqualTo("llama");
          float[] scores = m.floats("tokenizer.ggml.scores");
          assertThat(scores[5]).isGreaterThan(scores[4]); // ab before ba
          assertThat(m.array("tokenizer.ggml.token_type").longs())
              .startsWith(2, 6, 1, 1, 1, 1, 3, 6)
              .endsWith(6);
          assertThat(m.contains("tokenizer.ggml.add_space_prefix")).isFalse();
        });
  }

  @Test
  void refusesMergesWithoutATokenForEveryByte() throws IOException {
    writeMerges(byteTokens().subList(0, 254)); // all but <0xFF>
    assertThatThrownBy(() -> written(7 + 254, m -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("tokenizer.json", "for every byte", "<0xFF>");
  }

  @Test
  void readsAUnigramOfTokenizerJson() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "never"},
         "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AQID"},
         "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true,
           "vocab": [["<unk>", 0.0], ["<0x0A>", -5.5], ["\u2581a", -1.25]]}}
        """);
    written(
        3,
        m -> {
          assertThat(m.string("tokenizer.ggml.model")).isEqualTo("t5");
          assertThat(m.floats("tokenizer.ggml.scores")).containsExactly(0, -5.5f, -1.25f);
          assertThat(m.array("tokenizer.ggml.token_type").longs()).containsExactly(2, 6, 1);
          assertThat(m.array("tokenizer.ggml.precompiled_charsmap").longs())
              .containsExactly(1, 2, 3);
          assertThat(m.bool("tokenizer.ggml.add_space_prefix", true)).isFalse();
        });
  }

  private static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}%s| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+";

  @ParameterizedTest
  @CsvSource({
    "{1;3}, Isolated, false, true, llama-bpe",
    "{1;3}, Removed, true, true, llama-bpe",
    "{1;3}, Isolated, false, false, smaug-bpe",
    "'', Isolated, false, false, qwen2",
    "{1}, Isolated, false, false, qwen2"
  })
  void recognisesPreTokenizersByTheirContent(
      String digits, String behavior, boolean invert, boolean wholeWords, String expected)
      throws IOException {
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
           {"type": "Split", "pattern": {"Regex": "%s"}, "behavior": "%s", "invert": %s},
           {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
         "model": {"type": "BPE", "ignore_merges": %s, "vocab": {"a": 0, "b": 1, "ab": 2},
           "merges": ["a b"]}}
        """
            .formatted(LLAMA3.formatted(digits.replace(';', ',')), behavior, invert, wholeWords));
    written(3, m -> assertThat(m.string("tokenizer.ggml.pre")).isEqualTo(expected));
  }

  @Test
  void readsWhatThePostProcessorAdds() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"added_tokens": [{"id": 2, "content": "<s>", "special": true},
                          {"id": 3, "content": "</s>", "special": true},
                          {"id": 4, "content": "<turn>", "special": true}],
         "pre_tokenizer": {"type": "ByteLevel"},
         "post_processor": {"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}},
                      {"SpecialToken": {"id": "</s>"}}]},
         "model": {"vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}
        """);
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"<turn>\"}");
    written(
        5,
        m -> {
          assertThat(m.bool("tokenizer.ggml.add_bos_token", false)).isTrue();
          assertThat(m.bool("tokenizer.ggml.add_eos_token", false)).isTrue();
          assertThat(m.int32("tokenizer.ggml.bos_token_id")).isEqualTo(2);
          assertThat(m.int32("tokenizer.ggml.eos_token_id")).isEqualTo(3);
          assertThat(m.int32("tokenizer.ggml.eot_token_id")).isEqualTo(4); // what ended turns
        });
  }

  @Test
  void aTemplateOfThePostProcessorThatIsNoListAddsNothing() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {"pre_tokenizer": {"type": "ByteLevel"},
         "post_processor": {"type": "TemplateProcessing", "single": {"a": 1, "b": 2}, "pair": 3},
         "model": {"vocab": {"a": 0}, "merges": ["a a"]}}
        """);
    Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
    written(1, m -> assertThat(m.bool("tokenizer.ggml.add_bos_token", false)).isFalse());
  }

  @Test
  void writesNamedTemplates() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer.json"),
        "{\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}}");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"}, {\"name\": \"tool-use\", \"template\": \"T\"}]}");
    written(
        1,
        m -> {
          assertThat(m.string("tokenizer.chat_template")).isEqualTo("D");
          assertThat(m.string("tokenizer.chat_template.tool_use")).isEqualTo("T");
          assertThat(m.array("tokenizer.chat_templates").strings()).containsExactly("tool_use");
        });
  }
}
