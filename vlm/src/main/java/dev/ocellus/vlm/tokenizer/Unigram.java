package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * SentencePiece's unigram model (arXiv:1804.10959): of all ways to cut a text into pieces the one
 * whose scores have the largest sum, with its single precision, as a tie may hang on it.
 *
 * <p>The reference is {@code Model::EncodeOptimized} of <a
 * href="https://github.com/google/sentencepiece/blob/v0.2.0/src/unigram_model.cc">unigram_model.cc</a>
 * and {@code Normalizer::Normalize} of <a
 * href="https://github.com/google/sentencepiece/blob/v0.2.0/src/normalizer.cc">normalizer.cc</a>.
 */
final class Unigram {
  static final String SPACE = "\u2581";

  private static final float UNKNOWN_PENALTY = 10;

  private final List<String> tokens;
  private final float[] scores;
  private final Map<String, Integer> pieces = new HashMap<>();
  private final boolean[] userDefined;
  private final CharsMap charsMap;
  private final boolean dummyPrefix;
  private final boolean removeExtraSpaces;
  private final float unknownScore;
  private final float maxScore;
  private final int unknown;
  private final int longest;

  private Unigram(GgufMetadata metadata) {
    tokens = metadata.strings("tokenizer.ggml.tokens");
    scores = TokenData.scores(metadata, tokens.size());
    long[] kinds = TokenData.kinds(metadata, tokens.size());
    userDefined = new boolean[scores.length];
    int unk = metadata.int32("tokenizer.ggml.unknown_token_id", -1);
    int most = 1;
    float min = Float.MAX_VALUE;
    float max = -Float.MAX_VALUE;
    for (int i = 0; i < scores.length; i++) {
      if (kinds[i] == TokenData.BYTE) {
        throw new TokenizerFormatException("token_type", "no tokens of bytes", "token " + i);
      }
      unk = kinds[i] == TokenData.UNKNOWN && unk < 0 ? i : unk;
      userDefined[i] = kinds[i] == TokenData.USER_DEFINED;
      if (kinds[i] == TokenData.NORMAL || userDefined[i]) {
        pieces.putIfAbsent(tokens.get(i), i);
        most = Math.max(most, tokens.get(i).length());
      }
      if (kinds[i] == TokenData.NORMAL) {
        min = Math.min(min, scores[i]);
        max = Math.max(max, scores[i]);
      }
    }
    unknown = TokenData.checked(unk, "unknown_token_id", scores.length);
    longest = most;
    unknownScore = min - UNKNOWN_PENALTY;
    maxScore = max;
    charsMap = CharsMap.of(bytes(metadata));
    dummyPrefix = metadata.bool("tokenizer.ggml.add_space_prefix", true);
    removeExtraSpaces = metadata.bool("tokenizer.ggml.remove_extra_whitespaces", true);
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a model
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  static Unigram of(GgufMetadata metadata) {
    return new Unigram(metadata);
  }

  private static byte[] bytes(GgufMetadata metadata) {
    long[] values =
        metadata.findIntegers("tokenizer.ggml.precompiled_charsmap").orElse(new long[0]);
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  int size() {
    return scores.length;
  }

  String token(int id) {
    return tokens.get(id);
  }

  int unknown() {
    return unknown;
  }

  /** The text as it is cut: spaces are {@link #SPACE}. */
  String normalized(String text) {
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder out = new StringBuilder();
    boolean afterSpace = removeExtraSpaces;
    boolean begun = !removeExtraSpaces;
    for (int at = 0; at < in.length; ) {
      CharsMap.Prefix prefix = charsMap.at(in, at);
      at += prefix.length();
      String part = prefix.replacement();
      begun |= !part.equals(" ");
      if (!begun) {
        continue;
      }
      if (out.isEmpty() && dummyPrefix) {
        out.append(SPACE);
      }
      if (afterSpace) {
        part = part.replaceFirst("^ +", "");
      }
      if (!part.isEmpty()) {
        out.append(part.replace(" ", SPACE));
        afterSpace = removeExtraSpaces && part.endsWith(" ");
      }
    }
    while (removeExtraSpaces && out.toString().endsWith(SPACE)) {
      out.setLength(out.length() - 1);
    }
    return out.toString();
  }

  /** The text with its characters replaced, and nothing else. */
  String mapped(String text) {
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder out = new StringBuilder();
    for (int at = 0; at < in.length; ) {
      CharsMap.Prefix prefix = charsMap.at(in, at);
      at += prefix.length();
      out.append(prefix.replacement());
    }
    return out.toString();
  }

  /** The ids of a text; unknown characters that follow each other are one. */
  int[] encode(String text) {
    return encodeLine(normalized(text));
  }

  /** The ids of a line that is cut as it stands. */
  int[] encodeLine(String line) {
    int[] from = new int[line.length() + 1];
    int[] id = new int[line.length() + 1];
    float[] best = new float[line.length() + 1];
    Arrays.fill(from, -1);
    for (int start = 0; start < line.length(); ) {
      int single = Character.charCount(line.codePointAt(start));
      extend(line, start, single, from, id, best);
      start += single;
    }
    List<Integer> ids = new ArrayList<>();
    for (int end = line.length(); end > 0; end = from[end]) {
      boolean again = id[end] == unknown && !ids.isEmpty() && ids.getLast() == unknown;
      if (!again) {
        ids.add(id[end]);
      }
    }
    Collections.reverse(ids);
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Offers every piece that begins at a place to the place where it ends. */
  private void extend(String line, int start, int single, int[] from, int[] id, float[] best) {
    boolean known = false;
    int last = Math.min(line.length(), start + longest);
    for (int end = start + 1; end <= last; end++) {
      Integer piece = pieces.get(line.substring(start, end));
      if (piece != null) {
        offer(start, end, piece, score(piece, line, start, end) + best[start], from, id, best);
        known |= end - start == single;
      }
    }
    if (!known) {
      offer(start, start + single, unknown, unknownScore + best[start], from, id, best);
    }
  }

  private double score(int piece, String line, int start, int end) {
    if (!userDefined[piece]) {
      return scores[piece];
    }
    int bytes = line.substring(start, end).getBytes(StandardCharsets.UTF_8).length;
    return bytes * maxScore - 0.1;
  }

  private static void offer(
      int start, int end, int piece, double score, int[] from, int[] id, float[] best) {
    if (from[end] < 0 || score > best[end]) {
      from[end] = start;
      id[end] = piece;
      best[end] = (float) score;
    }
  }
}
