package dev.ocellus.vlm;

/** What stands, or is to stand, in a context: a token, or all rows of a picture. */
sealed interface ContextEntry {
  /** A token of text. */
  record Token(int id) implements ContextEntry {}

  /**
   * A picture, recognized by its key when it comes again.
   *
   * @param key hash of its pixels
   * @param embeddings its rows
   */
  record Picture(String key, ImageEmbeddings embeddings) implements ContextEntry {}

  /** Places that it takes. */
  default int size() {
    return switch (this) {
      case Token token -> 1;
      case Picture picture -> picture.embeddings().nTokens();
    };
  }

  /** Whether the two leave the same keys and values behind. */
  default boolean sameAs(ContextEntry other) {
    return switch (this) {
      case Token(int id) -> other instanceof Token(int otherId) && id == otherId;
      case Picture(String key, ImageEmbeddings rows) ->
          other instanceof Picture(String otherKey, ImageEmbeddings otherRows)
              && key.equals(otherKey);
    };
  }
}
