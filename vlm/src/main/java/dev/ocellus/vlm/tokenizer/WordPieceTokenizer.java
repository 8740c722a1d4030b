package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * BERT's tokenizer: words between white space and punctuation, each cut into the longest pieces
 * that the vocabulary has, from the left.
 *
 * <p>The reference is {@code BertTokenizer} of transformers, which is one of the tokenizers
 * library: <a
 * href="https://github.com/huggingface/tokenizers/blob/v0.23.1/tokenizers/src/models/wordpiece/mod.rs">wordpiece/mod.rs</a>,
 * <a
 * href="https://github.com/huggingface/tokenizers/blob/v0.23.1/tokenizers/src/pre_tokenizers/bert.rs">pre_tokenizers/bert.rs</a>.
 * Special tokens that a text spells out are taken as such, before the text is normalized; other
 * added tokens are looked for afterwards.
 *
 * <p>Keys: {@code tokenizer.ggml.tokens} as the vocabulary writes them, {@code token_type}, {@code
 * unknown_token_id}; {@code continuing_subword_prefix} (by default ##) and {@code
 * max_input_chars_per_word} (by default 100); {@code normalizer.lowercase}, {@code
 * normalizer.clean_text} and {@code normalizer.handle_chinese_chars} (true unless said), {@code
 * normalizer.strip_accents} (as {@code lowercase} unless said).
 */
public final class WordPieceTokenizer implements TextTokenizer {
  private final List<String> tokens;
  private final long[] kinds;
  private final Map<String, Integer> ids;
  private final AddedTokens special;
  private final AddedTokens added;
  private final BertNormalizer normalizer;
  private final String prefix;
  private final int maxCharacters;
  private final int unknown;

  private WordPieceTokenizer(GgufMetadata metadata) {
    tokens = new ArrayList<>(metadata.strings("tokenizer.ggml.tokens"));
    kinds = TokenData.kinds(metadata, tokens.size());
    unknown = TokenData.id(metadata, "unknown_token_id", kinds.length);
    prefix = metadata.string("tokenizer.ggml.continuing_subword_prefix", "##");
    maxCharacters = metadata.int32("tokenizer.ggml.max_input_chars_per_word", 100);
    normalizer = normalizer(metadata);
    ids = new HashMap<>(kinds.length * 2);
    Map<String, Integer> controls = new HashMap<>();
    Map<String, Integer> others = new HashMap<>();
    for (int i = 0; i < kinds.length; i++) {
      String token = tokens.get(i);
      if (kinds[i] != TokenData.UNUSED) {
        ids.putIfAbsent(token, i);
      }
      if (kinds[i] == TokenData.CONTROL) {
        controls.putIfAbsent(token, i);
      } else if (kinds[i] == TokenData.USER_DEFINED) {
        String normalized = normalizer.normalize(token);
        others.putIfAbsent(normalized, i);
        tokens.set(i, normalized); // the reference decodes to this, too
      }
    }
    special = new AddedTokens(controls);
    added = new AddedTokens(others);
  }

  private static BertNormalizer normalizer(GgufMetadata metadata) {
    String key = "tokenizer.ggml.normalizer.";
    boolean lowercase = metadata.bool(key + "lowercase", true);
    return new BertNormalizer(
        metadata.bool(key + "clean_text", true),
        metadata.bool(key + "handle_chinese_chars", true),
        metadata.bool(key + "strip_accents", lowercase),
        lowercase);
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  public static WordPieceTokenizer of(GgufMetadata metadata) {
    return new WordPieceTokenizer(metadata);
  }

  @Override
  public int size() {
    return kinds.length;
  }

  /** The id of a token as the vocabulary writes it. */
  public Optional<Integer> find(String token) {
    return Optional.ofNullable(ids.get(token));
  }

  @Override
  public int[] encode(String text) {
    IntStream.Builder out = IntStream.builder();
    special.split(
        text,
        plain -> added.split(normalizer.normalize(plain), part -> words(part, out), out),
        out);
    return out.build().toArray();
  }

  private void words(String text, IntStream.Builder out) {
    StringBuilder word = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          boolean alone = BertCharacters.isPunctuation(c);
          if (alone || BertCharacters.isSpace(c)) {
            pieces(word.toString(), out);
            word.setLength(0);
          }
          if (alone) {
            pieces(Character.toString(c), out);
          } else if (!BertCharacters.isSpace(c)) {
            word.appendCodePoint(c);
          }
        });
    pieces(word.toString(), out);
  }

  /** A word of which any part is unknown is unknown as a whole. */
  private void pieces(String word, IntStream.Builder out) {
    if (word.isEmpty()) {
      return;
    }
    int[] found = word.codePointCount(0, word.length()) > maxCharacters ? null : longest(word);
    Arrays.stream(found == null ? new int[] {unknown} : found).forEach(out::add);
  }

  private int @Nullable [] longest(String word) {
    IntStream.Builder out = IntStream.builder();
    for (int from = 0; from < word.length(); ) {
      int end = word.length();
      Integer id = ids.get(piece(word, from, end));
      while (id == null) {
        end = word.offsetByCodePoints(end, -1);
        if (end == from) {
          return null;
        }
        id = ids.get(piece(word, from, end));
      }
      out.add(id);
      from = end;
    }
    return out.build().toArray();
  }

  private String piece(String word, int from, int end) {
    String part = word.substring(from, end);
    return from == 0 ? part : prefix + part;
  }

  /**
   * The text of tokens: words with spaces between them and none before punctuation, as the
   * reference puts them together.
   *
   * @param ids numbers from 0 to {@link #size()} minus 1; those that no token has are left out
   * @param skipSpecial leaves out special tokens, too
   */
  public String decode(int[] ids, boolean skipSpecial) {
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (int id : ids) {
      if (kinds[id] != TokenData.UNUSED && !(skipSpecial && isSpecial(id))) {
        out.append(piece(id, first));
        first = false;
      }
    }
    return out.toString();
  }

  /** Whether a token stands for no text. */
  public boolean isSpecial(int id) {
    return kinds[id] == TokenData.CONTROL || kinds[id] == TokenData.UNUSED;
  }

  /** A token as the vocabulary writes it. */
  public String token(int id) {
    return tokens.get(id);
  }

  /**
   * What a token adds to a text.
   *
   * @param first whether no other stands in front of it
   */
  public String piece(int id, boolean first) {
    String token = tokens.get(id);
    boolean continues = token.startsWith(prefix);
    return withoutExtraSpaces(
        first ? token : continues ? token.substring(prefix.length()) : " " + token);
  }

  private static String withoutExtraSpaces(String text) {
    return text.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" do not", " don't")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }
}
