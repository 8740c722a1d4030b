package dev.ocellus.convert.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where transformers 5.18 takes the parts of BERT's tokenizers from. */
class WordPieceVocabularyTest {
  private static final String VOCABULARY =
      "{\"[PAD]\": 0, \"[UNK]\": 1, \"[CLS]\": 2, \"[SEP]\": 3, \"[MASK]\": 4, \"a\": 5, \"##b\": 6}";
  private static final String JSON =
      """
      {"added_tokens": [{"id": 7, "content": "[DEC]", "special": true}, {"id": 8, "content": "<Loc>", "special": false}],
       "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": false, "strip_accents": null, "lowercase": false},
       "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": {"type": "TemplateProcessing"},
       "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "@@", "max_input_chars_per_word": 5, "vocab": %s}}
      """
          .formatted(VOCABULARY);

  @TempDir private Path dir;
  private @Nullable GgufFile opened;

  private GgufMetadata written(int nVocab) throws IOException {
    Files.writeString(dir.resolve("config.json"), "{}");
    Path file = dir.resolve("out.gguf");
    GgufWriter out = new GgufWriter();
    try (HfFolder folder = HfFolder.openConfiguration(dir)) {
      new TokenizerConverter(folder, nVocab, null).writeWordPiece(out);
    }
    out.write(file);
    close();
    opened = GgufFile.open(file);
    return opened.metadata();
  }

  @AfterEach
  void close() {
    if (opened != null) {
      opened.close();
    }
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(dir.resolve(name), text);
  }

  @Test
  void takesOnlyTheTokensForBertTokenizer() throws IOException {
    write("tokenizer.json", JSON);
    write("tokenizer_config.json", "{\"tokenizer_class\": \"BertTokenizerFast\"}");
    GgufMetadata m = written(11);
    assertThat(m.string("tokenizer.ggml.model")).isEqualTo("wordpiece");
    assertThat(m.strings("tokenizer.ggml.tokens"))
        .containsExactly(
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "[DEC]", "<Loc>", "[PAD9]",
            "[PAD10]");
    assertThat(m.integers("tokenizer.ggml.token_type"))
        .containsExactly(3, 3, 3, 3, 3, 1, 1, 3, 4, 5, 5);
    assertThat(m.bool("tokenizer.ggml.normalizer.lowercase")).isTrue();
    assertThat(m.bool("tokenizer.ggml.normalizer.handle_chinese_chars")).isTrue();
    assertThat(m.contains("tokenizer.ggml.continuing_subword_prefix")).isFalse();
    assertThat(m.int32("tokenizer.ggml.unknown_token_id")).isEqualTo(1);
    assertThat(m.int32("tokenizer.ggml.cls_token_id")).isEqualTo(2);
    assertThat(m.int32("tokenizer.ggml.seperator_token_id")).isEqualTo(3);
  }

  @Test
  void takesItAsItIsForOtherClasses() throws IOException {
    write("tokenizer.json", JSON);
    write("tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
    GgufMetadata m = written(11);
    assertThat(m.bool("tokenizer.ggml.normalizer.lowercase")).isFalse();
    assertThat(m.bool("tokenizer.ggml.normalizer.strip_accents")).isFalse();
    assertThat(m.bool("tokenizer.ggml.normalizer.handle_chinese_chars")).isFalse();
    assertThat(m.string("tokenizer.ggml.continuing_subword_prefix")).isEqualTo("@@");
    assertThat(m.int32("tokenizer.ggml.max_input_chars_per_word")).isEqualTo(5);
  }

  @Test
  void readsATokenALine() throws IOException {
    write("vocab.txt", "[PAD]\r\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n[DEC]\n");
    write("tokenizer_config.json", "{\"do_lower_case\": false, \"bos_token\": \"[BOS]\"}");
    GgufMetadata m = written(9);
    assertThat(m.strings("tokenizer.ggml.tokens"))
        .containsExactly(
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "[DEC]", "[BOS]", "[PAD8]");
    assertThat(m.integers("tokenizer.ggml.token_type")).containsExactly(3, 3, 3, 3, 3, 1, 1, 3, 5);
    assertThat(m.bool("tokenizer.ggml.normalizer.lowercase")).isFalse();
    assertThat(m.bool("tokenizer.ggml.normalizer.strip_accents")).isFalse();
  }

  @Test
  void refusesOtherTokenizers() throws IOException {
    write("tokenizer.json", JSON.replace("\"WordPiece\"", "\"BPE\""));
    assertThatThrownBy(() -> written(11))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("'model.type': expected WordPiece, found 'BPE'");
    write("tokenizer.json", JSON);
    assertThatThrownBy(() -> written(8))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("token '<Loc>': expected an id below the 8 rows");
    write("tokenizer_config.json", "{\"tokenizer_class\": \"TokenizersBackend\"}");
    write("tokenizer.json", JSON.replace("BertNormalizer", "NFC"));
    assertThatThrownBy(() -> written(11))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("'normalizer': expected BERT's (BertNormalizer), found NFC");
  }
}
