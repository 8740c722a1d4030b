package dev.ocellus.vlm;

import dev.ocellus.vlm.cache.EncodedImage;
import dev.ocellus.vlm.model.ImagePiece;

/** What stands, or is to stand, in a context: a token, or rows of a picture. */
sealed interface ContextEntry {
  /** A token of text. */
  record Token(int id) implements ContextEntry {}

  /**
   * Rows of a picture, recognized by its key when they come again.
   *
   * @param key hash of the picture's pixels
   * @param image all its rows
   * @param from first row
   * @param rows how many, and how their positions lie
   */
  record Picture(String key, EncodedImage image, int from, ImagePiece.Rows rows)
      implements ContextEntry {}

  /** Places in the cache that it takes. */
  default int size() {
    return switch (this) {
      case Token token -> 1;
      case Picture picture -> picture.rows().count();
    };
  }

  /** How far the position of what follows lies behind its own, which may be less than its size. */
  default int positions() {
    return switch (this) {
      case Token token -> 1;
      case Picture picture -> picture.rows().positions();
    };
  }

  /** Whether the two leave the same keys and values behind. */
  default boolean sameAs(ContextEntry other) {
    return switch (this) {
      case Token(int id) -> other instanceof Token(int otherId) && id == otherId;
      case Picture mine ->
          other instanceof Picture theirs
              && mine.key.equals(theirs.key)
              && mine.from == theirs.from
              && mine.rows.equals(theirs.rows);
    };
  }
}
