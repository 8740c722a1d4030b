package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * SigLIP 2's tokenizer, which is Gemma's behind small letters: a byte pair encoding of whole texts,
 * whose spaces are U+2581, with a token for each byte of what has no token.
 *
 * <p>The reference is {@code Siglip2Tokenizer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip2/tokenization_siglip2.py">tokenization_siglip2.py</a>.
 * Added tokens that a text spells out are taken as such.
 *
 * <p>Keys: {@code tokenizer.ggml.tokens}, {@code token_type}, {@code merges}, {@code bos_token_id},
 * {@code eos_token_id}, {@code unknown_token_id} and {@code normalizer.lowercase}.
 */
public final class Siglip2Tokenizer implements TextTokenizer {
  private static final char SPACE = '\u2581';

  // kinds of tokens, as llama.cpp numbers them
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int BYTE = 6;

  private final Map<String, Integer> ids = new HashMap<>();
  private final int[] bytes = new int[256];
  private final BytePairs pairs = new BytePairs();
  private final Pattern added;
  private final boolean lowerCases;
  private final int size;
  private final int bos;
  private final int eos;
  private final int unknown;

  private Siglip2Tokenizer(GgufMetadata metadata) {
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    long[] kinds = metadata.integers("tokenizer.ggml.token_type");
    size = tokens.size();
    if (kinds.length != size) {
      throw new TokenizerFormatException(
          "token_type", size + ", as there are tokens", kinds.length + "");
    }
    java.util.Arrays.fill(bytes, -1);
    List<String> spelled = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      String token = tokens.get(i);
      ids.putIfAbsent(token, i);
      if (kinds[i] == BYTE) {
        bytes[byteOf(token)] = i;
      } else if ((kinds[i] == CONTROL || kinds[i] == USER_DEFINED) && !token.isEmpty()) {
        spelled.add(token);
      }
    }
    added = anyOf(spelled);
    merges(metadata.strings("tokenizer.ggml.merges"));
    lowerCases = metadata.bool("tokenizer.ggml.normalizer.lowercase", true);
    bos = metadata.int32("tokenizer.ggml.bos_token_id", -1);
    eos = id(metadata, "eos_token_id");
    unknown = id(metadata, "unknown_token_id");
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  public static Siglip2Tokenizer of(GgufMetadata metadata) {
    return new Siglip2Tokenizer(metadata);
  }

  private static int byteOf(String token) {
    if (!token.matches("<0x[0-9A-Fa-f]{2}>")) {
      throw new TokenizerFormatException("token_type", "tokens of bytes like <0x0A>", token);
    }
    return Integer.parseInt(token.substring(3, 5), 16);
  }

  /** Of several that begin at a place the longest. */
  private static Pattern anyOf(List<String> tokens) {
    return Pattern.compile(
        tokens.isEmpty()
            ? "(?!)"
            : tokens.stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
  }

  private void merges(List<String> merges) {
    for (String merge : merges) {
      int space = merge.indexOf(' ');
      Integer left = space < 0 ? null : ids.get(merge.substring(0, space));
      Integer right = space < 0 ? null : ids.get(merge.substring(space + 1));
      Integer both =
          space < 0 ? null : ids.get(merge.substring(0, space) + merge.substring(space + 1));
      if (left == null || right == null || both == null) {
        throw new TokenizerFormatException(
            "merges", "two tokens that together are a third", "'" + merge + "'");
      }
      pairs.add(left, right, both);
    }
  }

  private int id(GgufMetadata metadata, String key) {
    int id = metadata.int32("tokenizer.ggml." + key);
    if (id < 0 || id >= size) {
      throw new TokenizerFormatException(key, "a number from 0 to " + (size - 1), "" + id);
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
    Matcher matcher = added.matcher(text);
    int from = 0;
    while (matcher.find()) {
      out.add(words(text.substring(from, matcher.start())));
      out.add(new int[] {ids.get(matcher.group())});
      from = matcher.end();
    }
    out.add(words(text.substring(from)));
    return out.stream().flatMapToInt(IntStream::of).toArray();
  }

  private int[] words(String text) {
    String plain = (lowerCases ? LowerCase.of(text) : text).replace(' ', SPACE);
    List<Integer> symbols = new ArrayList<>(plain.length());
    plain.codePoints().forEach(c -> letter(Character.toString(c), symbols));
    return pairs.merge(symbols.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The token of a letter, or those of its bytes; unknown ones that follow each other are one. */
  private void letter(String letter, List<Integer> symbols) {
    Integer id = ids.get(letter);
    if (id != null) {
      symbols.add(id);
      return;
    }
    byte[] utf8 = letter.getBytes(StandardCharsets.UTF_8);
    boolean known = true;
    for (byte b : utf8) {
      known &= bytes[b & 0xFF] >= 0;
    }
    if (known) {
      for (byte b : utf8) {
        symbols.add(bytes[b & 0xFF]);
      }
    } else if (symbols.isEmpty() || symbols.getLast() != unknown) {
      symbols.add(unknown);
    }
  }
}
