package dev.ocellus.vlm.decode;

import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.Arrays;
import java.util.List;

/** What stands, or is to stand, in a context: a token, or rows of an image. */
public sealed interface ContextEntry {
  /** A token of text. */
  record Token(int id) implements ContextEntry {}

  /**
   * Rows of an image, recognized by its key when they come again.
   *
   * @param key hash of the image's pixels
   * @param image all its rows
   * @param from first row
   * @param rows how many, and how their positions lie
   */
  record Image(String key, EncodedImage image, int from, ImagePiece.Rows rows)
      implements ContextEntry {}

  /** Places in the cache that it takes. */
  default int size() {
    return switch (this) {
      case Token token -> 1;
      case Image image -> image.rows().count();
    };
  }

  /** How far the position of what follows lies behind its own, which may be less than its size. */
  default int positions() {
    return switch (this) {
      case Token token -> 1;
      case Image image -> image.rows().positions();
    };
  }

  /**
   * Position of a row on every axis: its place in the line, or on a grid time, height and width, as
   * multi-axis rotary positions want them.
   *
   * @param start position of the first row
   * @param nPositions numbers that the model wants
   */
  static int[] axes(ImagePiece.Rows rows, int row, int start, int nPositions) {
    int[] axes = new int[nPositions];
    if (rows.onGrid() && nPositions > 1) {
      axes[0] = start + rows.time(row);
      axes[1] = start + rows.line(row);
      axes[2] = start + rows.column(row);
      return axes;
    }
    Arrays.fill(axes, 0, Math.min(3, nPositions), start + row);
    return axes;
  }

  /**
   * How many entries two contents have in common from the beginning on, but not the last one
   * wanted, which is always computed again for its logits.
   */
  static int common(List<ContextEntry> present, List<ContextEntry> wanted) {
    int n = 0;
    while (n < Math.min(present.size(), wanted.size() - 1)
        && present.get(n).sameAs(wanted.get(n))) {
      n++;
    }
    return n;
  }

  /** Whether the two leave the same keys and values behind. */
  default boolean sameAs(ContextEntry other) {
    return switch (this) {
      case Token(int id) -> other instanceof Token(int otherId) && id == otherId;
      case Image mine ->
          other instanceof Image theirs
              && mine.key.equals(theirs.key)
              && mine.from == theirs.from
              && mine.rows.equals(theirs.rows);
    };
  }
}
