package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;

/** What tokenizers of all kinds read alike from the keys under {@code tokenizer.ggml.}. */
final class TokenData {
  // kinds of tokens, as llama.cpp and SentencePiece number them
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private TokenData() {}

  /**
   * The kind of each token.
   *
   * @throws TokenizerFormatException if there are not as many as tokens
   */
  static long[] kinds(GgufMetadata metadata, int size) {
    long[] kinds = metadata.integers("tokenizer.ggml.token_type");
    if (kinds.length != size) {
      throw new TokenizerFormatException(
          "token_type", size + ", as there are tokens", "" + kinds.length);
    }
    return kinds;
  }

  /**
   * The score of each token.
   *
   * @throws TokenizerFormatException if there are not as many as tokens
   */
  static float[] scores(GgufMetadata metadata, int size) {
    float[] scores = metadata.floats("tokenizer.ggml.scores");
    if (scores.length != size) {
      throw new TokenizerFormatException(
          "scores", size + ", as there are tokens", "" + scores.length);
    }
    return scores;
  }

  /**
   * The id of a token that a file has to name.
   *
   * @throws TokenizerFormatException if there is no such token
   * @throws dev.ocellus.gguf.GgufFormatException if the key is missing
   */
  static int id(GgufMetadata metadata, String key, int size) {
    return checked(metadata.int32("tokenizer.ggml." + key), key, size);
  }

  /**
   * The id of a token that is {@code defaultValue} where a file names none.
   *
   * @throws TokenizerFormatException if there is no such token
   */
  static int id(GgufMetadata metadata, String key, int size, int defaultValue) {
    return checked(metadata.int32("tokenizer.ggml." + key, defaultValue), key, size);
  }

  /**
   * The id of a token that a file need not name; -1 where it names none.
   *
   * @throws TokenizerFormatException if there is no such token
   */
  static int optionalId(GgufMetadata metadata, String key, int size) {
    int id = metadata.int32("tokenizer.ggml." + key, -1);
    return id == -1 ? id : checked(id, key, size);
  }

  /** The same for {@code id}, wherever it comes from. */
  static int checked(int id, String key, int size) {
    if (id < 0 || id >= size) {
      throw new TokenizerFormatException(key, "a number from 0 to " + (size - 1), "" + id);
    }
    return id;
  }
}
