package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * CLIP's tokenizer: a byte pair encoding of lower-cased words, whose last letter carries {@code
 * </w>}.
 *
 * <p>The reference is {@code CLIPTokenizer} of transformers, which is one of the tokenizers
 * library: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/clip/tokenization_clip.py">tokenization_clip.py</a>.
 * Texts are brought to NFC, white space becomes one space, and every code point is lower-cased by
 * itself. Special tokens that a text spells out are taken as such.
 *
 * <p>Keys: {@code tokenizer.ggml.tokens} and {@code merges}; where a file has no merges, as those
 * of clip.cpp, they follow from the order of the tokens ({@link LearnedMerges}).
 */
public final class ClipTokenizer implements TextTokenizer {
  private static final String END_OF_WORD = "</w>";
  private static final String BOS = "<|startoftext|>";
  private static final String EOS = "<|endoftext|>";

  private static final Pattern SPECIAL =
      Pattern.compile(Pattern.quote(BOS) + "|" + Pattern.quote(EOS));

  private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private static final Pattern WORDS =
      Pattern.compile(
          SPECIAL + "|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** Byte-level vocabularies cut words once more, by GPT-2's rule; here there are no spaces. */
  private static final Pattern PARTS =
      Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}+|[^\\s\\p{L}\\p{N}]+");

  private final Map<String, Integer> ids;
  private final BytePairs pairs;
  private final int bos;
  private final int eos;
  private final int size;

  private ClipTokenizer(List<String> tokens, List<String> merges) {
    size = tokens.size();
    ids = new HashMap<>(size * 2);
    for (int i = 0; i < size; i++) {
      ids.putIfAbsent(tokens.get(i), i);
    }
    bos = require(BOS);
    eos = require(EOS);
    pairs = BytePairs.of(merges, ids);
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if tokens or merges cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if there are no tokens
   */
  public static ClipTokenizer of(GgufMetadata metadata) {
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    List<String> merges =
        metadata
            .findStrings("tokenizer.ggml.merges")
            .orElseGet(() -> LearnedMerges.of(tokens, END_OF_WORD, Set.of(BOS, EOS)));
    return new ClipTokenizer(tokens, merges);
  }

  private int require(String token) {
    Integer id = ids.get(token);
    if (id == null) {
      throw new TokenizerFormatException("tokens", "the token " + token, "none");
    }
    return id;
  }

  @Override
  public int bos() {
    return bos;
  }

  @Override
  public int eos() {
    return eos;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int[] encode(String text) {
    List<int[]> out = new ArrayList<>();
    Matcher special = SPECIAL.matcher(text);
    int from = 0;
    while (special.find()) {
      words(text.substring(from, special.start()), out);
      out.add(new int[] {special.group().equals(BOS) ? bos : eos});
      from = special.end();
    }
    words(text.substring(from), out);
    return out.stream().flatMapToInt(IntStream::of).toArray();
  }

  private void words(String text, List<int[]> out) {
    String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
    String plain = LowerCase.of(SPACES.matcher(composed).replaceAll(" "));
    Matcher words = WORDS.matcher(plain);
    while (words.find()) {
      Matcher parts = PARTS.matcher(words.group());
      while (parts.find()) {
        out.add(pairs.merge(symbols(ByteLetters.of(parts.group()))));
      }
    }
  }

  /** A letter that the vocabulary lacks is the end token, which is the reference's unknown one. */
  private int[] symbols(String letters) {
    int[] symbols = new int[letters.length()];
    for (int i = 0; i < symbols.length; i++) {
      String letter = letters.substring(i, i + 1);
      symbols[i] = ids.getOrDefault(i + 1 < symbols.length ? letter : letter + END_OF_WORD, eos);
    }
    return symbols;
  }
}
