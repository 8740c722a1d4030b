package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

  private final Map<String, Integer> ids = new HashMap<>();
  private final ByteTokens bytes = new ByteTokens();
  private final BytePairs pairs;
  private final AddedTokens added;
  private final boolean lowerCases;
  private final int size;
  private final int bos;
  private final int eos;
  private final int unknown;

  private Siglip2Tokenizer(GgufMetadata metadata) {
    List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
    size = tokens.size();
    long[] kinds = TokenData.kinds(metadata, size);
    Map<String, Integer> spelled = new HashMap<>();
    for (int i = 0; i < size; i++) {
      String token = tokens.get(i);
      ids.putIfAbsent(token, i);
      if (kinds[i] == TokenData.BYTE) {
        requireName(token);
        bytes.add(token, i);
      } else if (kinds[i] == TokenData.CONTROL || kinds[i] == TokenData.USER_DEFINED) {
        spelled.put(token, ids.get(token));
      }
    }
    added = new AddedTokens(spelled);
    pairs = BytePairs.of(metadata.strings("tokenizer.ggml.merges"), ids);
    lowerCases = metadata.bool("tokenizer.ggml.normalizer.lowercase", true);
    bos = TokenData.optionalId(metadata, "bos_token_id", size);
    eos = TokenData.id(metadata, "eos_token_id", size);
    unknown = TokenData.id(metadata, "unknown_token_id", size);
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

  private static void requireName(String token) {
    if (!ByteTokens.isName(token)) {
      throw new TokenizerFormatException("token_type", "tokens of bytes like <0x0A>", token);
    }
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
    IntStream.Builder out = IntStream.builder();
    added.split(text, between -> words(between, out), out);
    return out.build().toArray();
  }

  private void words(String text, IntStream.Builder out) {
    String plain = (lowerCases ? LowerCase.of(text) : text).replace(' ', SPACE);
    List<Integer> symbols = new ArrayList<>(plain.length());
    plain.codePoints().forEach(c -> letter(Character.toString(c), symbols));
    for (int id : pairs.merge(symbols.stream().mapToInt(Integer::intValue).toArray())) {
      out.add(id);
    }
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
      known &= bytes.id(b) >= 0;
    }
    if (known) {
      for (byte b : utf8) {
        symbols.add(bytes.id(b));
      }
    } else if (symbols.isEmpty() || symbols.getLast() != unknown) {
      symbols.add(unknown);
    }
  }
}
