package dev.ocellus.convert.tokenizer;

import dev.ocellus.gguf.GgufWriter;
import java.util.Arrays;

/** All tokens by id. Ids that nobody claims are written as {@code [PADn]}, unused. */
final class Vocabulary {
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

  void set(int id, String text, float score, TokenKind kind) {
    texts[id] = text;
    scores[id] = score;
    kinds[id] = kind.id;
  }

  void setKind(int id, TokenKind kind) {
    kinds[id] = kind.id;
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
