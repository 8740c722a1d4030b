package dev.ocellus.vlm.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against what the tokenizers library makes of the same texts; make_wordpiece.py wrote them. */
class WordPieceTokenizerTest {
  private static final List<BertNormalizer> SETTINGS =
      List.of(
          new BertNormalizer(true, true, true, true),
          new BertNormalizer(true, true, false, false),
          new BertNormalizer(true, false, false, true),
          new BertNormalizer(false, true, true, false));

  @TempDir private Path dir;

  @Test
  void givesTheReferencesIdsAndTexts() throws IOException {
    List<WordPieceTokenizer> tokenizers = new ArrayList<>();
    for (BertNormalizer setting : SETTINGS) {
      tokenizers.add(tokenizer(setting));
    }
    ObjectMapper json = new ObjectMapper();
    int n = 0;
    for (String line : resource("wordpiece.jsonl").lines().toList()) {
      JsonNode row = json.readTree(line);
      int setting = row.get(0).asInt();
      String text = row.get(1).asText();
      int[] ids = json.convertValue(row.get(2), int[].class);
      assertThat(tokenizers.get(setting).encode(text)).as(line).isEqualTo(ids);
      assertThat(tokenizers.get(setting).decode(ids, setting % 2 == 0))
          .as(line)
          .isEqualTo(row.get(3).asText());
      n++;
    }
    assertThat(n).isEqualTo(804);
  }

  @Test
  void knowsEveryCharacterAsTheReferenceDoes() throws Exception {
    for (String line : resource("wordpiece-characters.tsv").lines().toList()) {
      String[] sums = line.split("\t");
      int start = Integer.parseInt(sums[0], 16);
      int[] points =
          IntStream.range(start, start + 4096).filter(c -> c < 0xd800 || c >= 0xe000).toArray();
      for (int i = 0; i < SETTINGS.size(); i++) {
        StringBuilder all = new StringBuilder();
        for (int c : points) {
          all.append(SETTINGS.get(i).normalize("A" + Character.toString(c) + "b")).append('\n');
        }
        assertThat(sum(all)).as("normalizer %d from U+%x", i, start).isEqualTo(sums[i + 1]);
      }
      StringBuilder cut = new StringBuilder();
      for (int c : points) {
        String character = Character.toString(c);
        cut.append('a');
        if (BertCharacters.isSpace(c)) {
          cut.append(' ');
        } else if (BertCharacters.isPunctuation(c)) {
          cut.append(' ').append(character).append(' ');
        } else {
          cut.append(character);
        }
        cut.append("b\n");
      }
      assertThat(sum(cut)).as("words from U+%x", start).isEqualTo(sums[5]);
    }
  }

  @Test
  void leavesOutNumbersWithoutAToken() throws IOException {
    WordPieceTokenizer tokenizer = tokenizer(SETTINGS.getFirst());
    int[] ids = tokenizer.encode("a red bicycle");
    int[] more = IntStream.concat(IntStream.of(tokenizer.size() - 1), Arrays.stream(ids)).toArray();
    assertThat(tokenizer.decode(more, true)).isEqualTo("a red bicycle");
  }

  @Test
  void refusesDamagedData() throws IOException {
    assertThatThrownBy(() -> open(out -> out.ints("tokenizer.ggml.token_type", 1)))
        .isInstanceOf(TokenizerFormatException.class)
        .hasMessageContaining("token_type: expected 2");
    assertThatThrownBy(() ->
            open(out -> {
              out.ints("tokenizer.ggml.token_type", 1, 1);
              out.u32("tokenizer.ggml.unknown_token_id", 2);
            }))
        .isInstanceOf(TokenizerFormatException.class)
        .hasMessageContaining("unknown_token_id: expected a number from 0 to 1, found 2");
  }

  private interface Keys {
    void write(GgufWriter out);
  }

  private WordPieceTokenizer open(Keys keys) throws IOException {
    Path file = dir.resolve("bad.gguf");
    GgufWriter out = new GgufWriter();
    out.strings("tokenizer.ggml.tokens", List.of("a", "b"));
    keys.write(out);
    return written(out, file);
  }

  /** The last token is one that only fills up the table. */
  private WordPieceTokenizer tokenizer(BertNormalizer setting) throws IOException {
    List<String> tokens =
        new ArrayList<>(Arrays.asList(resource("wordpiece-vocab.txt").split("\n")));
    int[] kinds = new int[tokens.size() + 2];
    Arrays.fill(kinds, 1);
    Arrays.fill(kinds, 0, 5, 3);
    kinds[tokens.size()] = 4;
    kinds[tokens.size() + 1] = 5;
    tokens.add("<Loc>");
    tokens.add("[PAD1501]");
    GgufWriter out = new GgufWriter();
    out.strings("tokenizer.ggml.tokens", tokens);
    out.ints("tokenizer.ggml.token_type", kinds);
    out.u32("tokenizer.ggml.unknown_token_id", 1);
    out.bool("tokenizer.ggml.normalizer.clean_text", setting.cleanText());
    out.bool("tokenizer.ggml.normalizer.handle_chinese_chars", setting.handleChineseChars());
    out.bool("tokenizer.ggml.normalizer.strip_accents", setting.stripAccents());
    out.bool("tokenizer.ggml.normalizer.lowercase", setting.lowercase());
    return written(out, dir.resolve("vocab.gguf"));
  }

  private static WordPieceTokenizer written(GgufWriter out, Path path) throws IOException {
    out.write(path);
    try (GgufFile file = GgufFile.open(path)) {
      return WordPieceTokenizer.of(file.metadata());
    }
  }

  private static String sum(CharSequence text) throws Exception {
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes))
        .substring(0, 16);
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = WordPieceTokenizerTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
