package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * GPT-2's byte pair encoding as RoBERTa has it: words carry the space in front of them, and every
 * byte is a letter.
 *
 * <p>The reference is {@code RobertaTokenizer} of transformers, which is one of the tokenizers
 * library: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/roberta/tokenization_roberta.py">tokenization_roberta.py</a>.
 * Special tokens that a text spells out are taken as such, some of them with the white space beside
 * them.
 *
 * <p>Keys: {@code tokenizer.ggml.tokens}, {@code token_type}, {@code merges}, {@code
 * add_space_prefix}, which is false where absent, and the ids {@code lstrip_tokens} and {@code
 * rstrip_tokens}.
 */
public final class ByteBpeTokenizer implements TextTokenizer {
  private static final int CONTROL = 3;
  private static final char NEXT_LINE = 0x85;

  private static final Pattern WORDS =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Integer> special = new LinkedHashMap<>();
  private final Pattern specialTexts;
  private final BytePairs pairs = new BytePairs();
  private final boolean spaceInFront;
  private final int bos;
  private final int eos;
  private final Set<Integer> stripLeft;
  private final Set<Integer> stripRight;
  private final int size;

  private ByteBpeTokenizer(GgufMetadata metadata) {
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    size = tokens.size();
    long[] kinds = metadata.findIntegers("tokenizer.ggml.token_type").orElse(new long[size]);
    if (kinds.length != size) {
      throw new TokenizerFormatException("token_type", size + " numbers", "" + kinds.length);
    }
    for (int i = 0; i < size; i++) {
      (kinds[i] == CONTROL ? special : ids).putIfAbsent(tokens.get(i), i);
    }
    special.remove("");
    specialTexts =
        Pattern.compile(
            special.keySet().stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
    for (String merge : metadata.strings("tokenizer.ggml.merges")) {
      add(merge);
    }
    spaceInFront = metadata.bool("tokenizer.ggml.add_space_prefix", false);
    bos = id(metadata, "bos_token_id");
    eos = id(metadata, "eos_token_id");
    stripLeft = ids(metadata, "lstrip_tokens");
    stripRight = ids(metadata, "rstrip_tokens");
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if tokens or merges cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if there are none
   */
  public static ByteBpeTokenizer of(GgufMetadata metadata) {
    return new ByteBpeTokenizer(metadata);
  }

  private void add(String merge) {
    int space = merge.indexOf(' ');
    Integer left = space < 0 ? null : ids.get(merge.substring(0, space));
    Integer right = space < 0 ? null : ids.get(merge.substring(space + 1));
    Integer both = space < 0 ? null : ids.get(merge.replace(" ", ""));
    if (left == null || right == null || both == null) {
      throw new TokenizerFormatException(
          "merges", "two tokens that together are a third", "'" + merge + "'");
    }
    pairs.add(left, right, both);
  }

  private int id(GgufMetadata metadata, String key) {
    int id = metadata.int32("tokenizer.ggml." + key, -1);
    if (id >= size) {
      throw new TokenizerFormatException(key, "a number below " + size, "" + id);
    }
    return id;
  }

  private static Set<Integer> ids(GgufMetadata metadata, String key) {
    return metadata.findIntegers("tokenizer.ggml." + key).stream()
        .flatMapToLong(LongStream::of)
        .mapToObj(id -> (int) id)
        .collect(Collectors.toUnmodifiableSet());
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
    int from = 0;
    Matcher matcher = specialTexts.matcher(text);
    while (!special.isEmpty() && matcher.find()) {
      int id = special.getOrDefault(matcher.group(), eos);
      int to = matcher.start();
      while (stripLeft.contains(id) && to > from && isSpace(text.charAt(to - 1))) {
        to--;
      }
      words(text.substring(Math.min(from, to), to), out);
      out.add(new int[] {id});
      from = matcher.end();
      while (stripRight.contains(id) && from < text.length() && isSpace(text.charAt(from))) {
        from++;
      }
    }
    words(text.substring(from), out);
    return out.stream().flatMapToInt(IntStream::of).toArray();
  }

  /** White space as Unicode has it. */
  private static boolean isSpace(char c) {
    return Character.isSpaceChar(c) || (c >= '\t' && c <= '\r') || c == NEXT_LINE;
  }

  private void words(String text, List<int[]> out) {
    if (text.isEmpty()) {
      return;
    }
    Matcher words = WORDS.matcher(spaceInFront && !text.startsWith(" ") ? " " + text : text);
    while (words.find()) {
      out.add(pairs.merge(letters(ByteLetters.of(words.group()))));
    }
  }

  /** A letter that the vocabulary lacks is left out, as this tokenizer has no unknown token. */
  private int[] letters(String letters) {
    int[] found = new int[letters.length()];
    int n = 0;
    for (int i = 0; i < found.length; i++) {
      Integer id = ids.get(letters.substring(i, i + 1));
      if (id != null) {
        found[n++] = id;
      }
    }
    return Arrays.copyOf(found, n);
  }
}
