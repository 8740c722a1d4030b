package dev.ocellus.vlm.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that texts spell out, and tokens that a file names and does not have. */
class SpelledTokensTest {
  private static final List<String> TOKENS =
      List.of("<unk>", "<eos>", "<0xC3>", "<0xA9>", "a", "b", "ab", "<b>", "<b></b>");
  private static final int[] KINDS = {3, 3, 6, 6, 1, 1, 1, 4, 4};

  @TempDir private Path directory;

  private Siglip2Tokenizer siglip2(int bos) throws IOException {
    Path file = directory.resolve("t.gguf");
    GgufWriter out = new GgufWriter();
    out.strings("tokenizer.ggml.tokens", TOKENS);
    out.ints("tokenizer.ggml.token_type", KINDS);
    out.strings("tokenizer.ggml.merges", List.of("a b"));
    out.u32("tokenizer.ggml.unknown_token_id", 0);
    out.u32("tokenizer.ggml.eos_token_id", 1);
    out.u32("tokenizer.ggml.bos_token_id", bos);
    out.write(file);
    try (GgufFile gguf = GgufFile.open(file)) {
      return Siglip2Tokenizer.of(gguf.metadata());
    }
  }

  @Test
  void theLongestOfSeveralIsTaken() {
    List<String> seen = new ArrayList<>();
    new AddedTokens(Map.of("<b>", 7, "<b></b>", 8, "", 9))
        .split("x<b></b><b>y", seen::add, id -> seen.add("#" + id));
    assertThat(seen).containsExactly("x", "#8", "", "#7", "y");
  }

  @Test
  void withoutAnyATextStaysWhole() {
    List<String> seen = new ArrayList<>();
    new AddedTokens(Map.of()).split("ab", seen::add, id -> seen.add("#" + id));
    assertThat(seen).containsExactly("ab");
  }

  @Test
  void bytesStandForLettersAndUnknownOnesAreOne() throws IOException {
    Siglip2Tokenizer tokenizer = siglip2(0);
    assertThat(tokenizer.encode("AB\u00e9<b></b>a")).containsExactly(6, 2, 3, 8, 4);
    assertThat(tokenizer.encode("\u00e8\u00e8a<eos>")).containsExactly(0, 4, 1);
  }

  @Test
  void refusesABeginningThatIsNoToken() {
    assertThatThrownBy(() -> siglip2(9))
        .isInstanceOf(TokenizerFormatException.class)
        .hasMessageContaining("bos_token_id: expected a number from 0 to 8, found 9");
  }
}
