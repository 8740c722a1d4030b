package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** T5's vocabulary: what it makes of texts, and maps of characters that would end the process. */
class UnigramVocabularyTest {
  private static final int UNITS = 512;

  /** A trie that replaces "a" by what begins at byte 0, and knows nothing else. */
  private static final int ROOT = 256;

  @TempDir Path folder;

  private GgufWriter writer() {
    return new GgufWriter()
        .string("general.architecture", "an architecture that libllama has not")
        .string("tokenizer.ggml.model", "t5")
        .strings(
            "tokenizer.ggml.tokens",
            List.of("<pad>", "</s>", "<unk>", "\u2581", "a", "b", "\u2581ab"))
        .floats("tokenizer.ggml.scores", 0, 0, 0, -2, -3, -3, -1)
        .ints("tokenizer.ggml.token_type", 3, 3, 2, 1, 1, 1, 1)
        .bool("tokenizer.ggml.add_space_prefix", true)
        .bool("tokenizer.ggml.remove_extra_whitespaces", true);
  }

  private int[] tokenize(GgufWriter writer, String text) throws IOException {
    Path file = folder.resolve("vocabulary.gguf");
    writer.write(file);
    try (LlamaModel model = LlamaModel.loadTokenizer(file)) {
      return model.vocab().tokenize(text, false);
    }
  }

  @Test
  void cutsTextsIntoTheLikeliestPieces() throws IOException {
    assertThat(tokenize(writer(), "ab  ba")).containsExactly(6, 3, 5, 4);
  }

  @Test
  void whatNoPieceSaysIsUnknownAndControlTokensAreText() throws IOException {
    assertThat(tokenize(writer(), "a\u4f60")).containsExactly(3, 4, 2);
    assertThat(tokenize(writer(), "</s>")).containsExactly(3, 2);
  }

  @Test
  void mapsCharacters() throws IOException {
    assertThat(tokenize(writer(map(trie(0), "b\0")), "a")).containsExactly(3, 5);
  }

  @Test
  void damagedMapsAreRefused() {
    requireRefused(map(trie(2), "b\0")); // a replacement behind the end
    requireRefused(map(trie(0), "b")); // one that does not end
    int[] far = trie(0);
    far[0] = UNITS << 10; // nodes behind the end
    requireRefused(map(far, "b\0"));
    requireRefused(map(new int[] {ROOT << 10}, "b\0"));
    requireRefused(new byte[] {1, 2});
    requireRefused(new byte[] {100, 0, 0, 0, 1, 1});
  }

  private void requireRefused(byte[] map) {
    assertThatThrownBy(() -> tokenize(writer(map), "a"))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("precompiled_charsmap");
  }

  private GgufWriter writer(byte[] map) {
    long[] values = new long[map.length];
    for (int i = 0; i < map.length; i++) {
      values[i] = map[i] & 0xFF;
    }
    return writer()
        .put("tokenizer.ggml.precompiled_charsmap", GgufArray.ofIntegers(MetadataType.U8, values));
  }

  private static int[] trie(int replacement) {
    int[] units = new int[UNITS];
    units[0] = ROOT << 10;
    int node = ROOT ^ 'a';
    units[node] = 'a' | 1 << 8 | 'a' << 10; // a leaf whose value stands at the root's first node
    units[ROOT] = replacement | 1 << 31;
    return units;
  }

  private static byte[] map(int[] units, String replacements) {
    ByteBuffer out =
        ByteBuffer.allocate(4 + 4 * units.length + replacements.length())
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(4 * units.length);
    for (int unit : units) {
      out.putInt(unit);
    }
    replacements.chars().forEach(c -> out.put((byte) c));
    return out.array();
  }
}
