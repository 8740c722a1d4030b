package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * LLaMA's tokenizer: SentencePiece's byte pair encoding, which joins the two neighbours whose joint
 * token has the highest score, until there are none; bytes stand for what has no token. For text
 * towers that libllama does not compute.
 *
 * <p>The reference is {@code Model::SampleEncode} of <a
 * href="https://github.com/google/sentencepiece/blob/v0.2.0/src/bpe_model.cc">bpe_model.cc</a>.
 * Special tokens that a text spells out are text.
 */
public final class LlamaTokenizer implements TextTokenizer {
  private static final char SPACE = '\u2581';

  private final Map<String, Integer> pieces = new HashMap<>();
  private final ByteTokens bytes = new ByteTokens();
  private final BytePairs pairs = new BytePairs();
  private final boolean dummyPrefix;
  private final List<String> tokens;
  private final long[] kinds;
  private final int size;
  private final int bos;
  private final int eos;
  private final int unknown;

  private LlamaTokenizer(GgufMetadata metadata) {
    tokens = List.copyOf(metadata.strings("tokenizer.ggml.tokens")); // outlives the file
    size = tokens.size();
    float[] scores = TokenData.scores(metadata, size);
    kinds = TokenData.kinds(metadata, size);
    for (int i = 0; i < size; i++) {
      if (kinds[i] == TokenData.NORMAL) {
        pieces.putIfAbsent(tokens.get(i), i);
      } else if (kinds[i] == TokenData.BYTE && ByteTokens.isName(tokens.get(i))) {
        bytes.add(tokens.get(i), i);
      }
    }
    merges(scores);
    dummyPrefix = metadata.bool("tokenizer.ggml.add_space_prefix", true);
    bos = TokenData.id(metadata, "bos_token_id", size, 1);
    eos = TokenData.id(metadata, "eos_token_id", size, 2);
    unknown = TokenData.id(metadata, "unknown_token_id", size, 0);
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  public static LlamaTokenizer of(GgufMetadata metadata) {
    return new LlamaTokenizer(metadata);
  }

  /** Every way to cut a token in two that are tokens, in the order of the scores. */
  private void merges(float[] scores) {
    int[] order =
        IntStream.range(0, size)
            .filter(i -> kinds[i] == TokenData.NORMAL)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -scores[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    int rank = -1;
    float last = Float.NaN;
    for (int id : order) {
      rank += scores[id] == last ? 0 : 1;
      last = scores[id];
      String token = tokens.get(id);
      for (int at = 1; at < token.length(); at++) {
        Integer left = pieces.get(token.substring(0, at));
        Integer right = pieces.get(token.substring(at));
        if (left != null && right != null) {
          pairs.add(left, right, id, rank);
        }
      }
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
    if (text.isEmpty()) {
      return new int[0];
    }
    String line = (dummyPrefix ? SPACE + text : text).replace(' ', SPACE);
    // letters without a token keep their place as negative numbers, which no merge takes
    List<String> strange = new ArrayList<>();
    int[] symbols =
        line.codePoints()
            .map(c -> {
              Integer id = pieces.get(Character.toString(c));
              if (id == null) {
                strange.add(Character.toString(c));
              }
              return id != null ? id : -1 - strange.size();
            })
            .toArray();
    IntStream.Builder out = IntStream.builder();
    for (int symbol : pairs.merge(symbols)) {
      if (symbol >= 0) {
        out.add(symbol);
      } else {
        bytes(strange.get(-2 - symbol), out);
      }
    }
    return out.build().toArray();
  }

  private void bytes(String letter, IntStream.Builder out) {
    for (byte b : letter.getBytes(StandardCharsets.UTF_8)) {
      int id = bytes.id(b);
      out.add(id >= 0 ? id : unknown);
    }
  }

  /** A token as the vocabulary writes it. */
  public String token(int id) {
    return tokens.get(id);
  }

  /**
   * What a token adds to a text, in UTF-8; a token of a byte may be a part of a character.
   *
   * @param first whether no other stands in front of it: then the space that a text begins with is
   *     left out
   * @return empty for special tokens
   */
  public byte[] bytes(int id, boolean first) {
    String token = tokens.get(id);
    if (kinds[id] == TokenData.BYTE && ByteTokens.isName(token)) {
      return new byte[] {ByteTokens.value(token)};
    }
    if (kinds[id] != TokenData.NORMAL && kinds[id] != TokenData.USER_DEFINED) {
      return new byte[0];
    }
    String text = token.replace(SPACE, ' ');
    boolean cut = first && dummyPrefix && text.startsWith(" ");
    return (cut ? text.substring(1) : text).getBytes(StandardCharsets.UTF_8);
  }
}
