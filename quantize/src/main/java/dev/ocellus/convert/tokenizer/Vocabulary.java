package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.gguf.GgufWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/** All tokens by id. Ids that nobody claims are written as {@code [PADn]}, unused. */
final class Vocabulary {
  /** Characters of a token in a message. */
  private static final int SHOWN = 64;

  private final String[] texts;
  private final float[] scores;
  private final int[] kinds;

  Vocabulary(int size) {
    texts = new String[size];
    scores = new float[size];
    kinds = new int[size];
    for (int i = 0; i < size; i++) {
      texts[i] = "[PAD" + i + "]";
    }
    Arrays.fill(scores, -10000);
    Arrays.fill(kinds, TokenKind.UNUSED.id);
  }

  int size() {
    return texts.length;
  }

  /**
   * Claims an id that comes from a file.
   *
   * @throws ConversionException if the embedding has no such row
   */
  void set(Path source, int id, String text, float score, TokenKind kind) {
    requireRow(source, text, id);
    set(id, text, score, kind);
  }

  /**
   * Checks the id of a token.
   *
   * @throws ConversionException if the embedding has no such row
   */
  void requireRow(Path source, String text, int id) {
    if (id >= size()) {
      throw ConversionException.at(
          source,
          "token '%s'".formatted(text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…"),
          "an id below the %d rows of the embedding".formatted(size()),
          Integer.toString(id),
          "Tokenizer and model are not of one checkpoint.");
    }
  }

  void set(int id, String text, float score, TokenKind kind) {
    texts[id] = text;
    scores[id] = score;
    kinds[id] = kind.id;
  }

  void setKind(int id, TokenKind kind) {
    kinds[id] = kind.id;
  }

  boolean isUnused(int id) {
    return kinds[id] == TokenKind.UNUSED.id;
  }

  String text(int id) {
    return texts[id];
  }

  void write(GgufWriter out, String model, String pre, boolean withScores) {
    out.string("tokenizer.ggml.model", model);
    out.string("tokenizer.ggml.pre", pre);
    out.strings("tokenizer.ggml.tokens", Arrays.asList(texts));
    if (withScores) {
      out.floats("tokenizer.ggml.scores", scores);
    }
    out.ints("tokenizer.ggml.token_type", kinds);
  }

  /** Writes tokens with scores that no merge asks for, of a kind that llama.cpp cuts by itself. */
  void writeMerged(GgufWriter out, String model) {
    out.string("tokenizer.ggml.model", model);
    out.strings("tokenizer.ggml.tokens", Arrays.asList(texts));
    out.floats("tokenizer.ggml.scores", scores);
    out.ints("tokenizer.ggml.token_type", kinds);
  }

  /**
   * Writes tokens of SentencePiece's kind with scores, for which llama.cpp falls back to bytes.
   *
   * @throws ConversionException if a byte has no token, as nothing reads such a file
   */
  void writeSentencePiece(GgufWriter out, Path file) {
    Set<String> all = Set.copyOf(Arrays.asList(texts).stream().distinct().toList());
    for (int b = 0; b < 256; b++) {
      boolean alone = b > 0 && b < 128 && all.contains(String.valueOf((char) b));
      if (!alone && !all.contains("<0x%02X>".formatted(b))) {
        throw ConversionException.at(
            file,
            "tokens",
            "one for every byte (<0x00> to <0xFF>)",
            "none for <0x%02X>".formatted(b),
            "llama.cpp cannot encode every text with such a vocabulary; take a checkpoint whose"
                + " tokenizer was trained with byte_fallback.");
      }
    }
    write(out, "llama", "default", true);
  }

  /**
   * Whether a token that the files do not mark as special is a control token all the same, as some
   * models' are.
   */
  static boolean looksSpecial(String text) {
    return text.equals("<pad>")
        || text.equals("<mask>")
        || text.equals("<2mass>")
        || text.equals("[@BOS@]")
        || (text.startsWith("<|") && text.endsWith("|>"))
        || (text.startsWith("<\uff5c") && text.endsWith("\uff5c>"))
        || (text.startsWith("<unused") && text.endsWith(">"));
  }

  /** How a token of user-defined text is written: with spaces, not their stand-ins. */
  static String withSpaces(String text) {
    return text.replace('\u2581', ' ');
  }
}
