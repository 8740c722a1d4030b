package dev.ocellus.vlm.decode;

import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What stands, or is to stand, in a context: a token, or embeddings of an image. */
public sealed interface ContextEntry {
  /** A token of text. */
  record Token(int id) implements ContextEntry {}

  /**
   * Embeddings of an image, recognized by its key when they come again.
   *
   * @param key hash of the image's pixels
   * @param image all its embeddings
   * @param from first embedding
   * @param embeddings how many, and how their positions lie
   */
  record Image(String key, EncodedImage image, int from, ImagePiece.Embeddings embeddings)
      implements ContextEntry {
    /** The same place without what was encoded, which is only needed to compute keys and values. */
    Image withoutRows() {
      return new Image(
          key, new EncodedImage(new float[0], 0, image.width(), List.of()), from, embeddings);
    }
  }

  /** Places in the cache that it takes. */
  default int size() {
    return switch (this) {
      case Token token -> 1;
      case Image image -> image.embeddings().count();
    };
  }

  /** How far the position of what follows lies behind its own, which may be less than its size. */
  default int positions() {
    return switch (this) {
      case Token token -> 1;
      case Image image -> image.embeddings().positions();
    };
  }

  /** Places in the cache that entries take. */
  static int placesOf(List<ContextEntry> entries) {
    return entries.stream().mapToInt(ContextEntry::size).sum();
  }

  /** The position of what follows entries. */
  static int positionsOf(List<ContextEntry> entries) {
    return entries.stream().mapToInt(ContextEntry::positions).sum();
  }

  /**
   * Position of an embedding on every axis: its place in the line, or on a grid time, height and
   * width, as multi-axis rotary positions want them; on a numbered grid the place in the line,
   * column, line and the number of the image.
   *
   * @param start position of the first embedding
   * @param nPositions axes that the model wants
   * @param number of the image, for numbered grids
   */
  static int[] axes(ImagePiece.Embeddings piece, int index, int start, int nPositions, int number) {
    int[] axes = new int[nPositions];
    if (piece.numbered() && nPositions > 3) {
      axes[0] = start + index;
      axes[1] = piece.column(index);
      axes[2] = piece.line(index);
      axes[3] = number;
      return axes;
    }
    if (piece.onGrid() && nPositions > 1) {
      axes[0] = start + piece.time(index);
      axes[1] = start + piece.line(index);
      axes[2] = start + piece.column(index);
      return axes;
    }
    Arrays.fill(axes, start + index);
    return axes;
  }

  /** As {@link #axes(ImagePiece.Embeddings, int, int, int, int)}, of some embeddings in a row. */
  static int[][] axes(
      ImagePiece.Embeddings piece, int from, int n, int start, int nPositions, int number) {
    int[][] axes = new int[n][];
    for (int i = 0; i < n; i++) {
      axes[i] = axes(piece, from + i, start, nPositions, number);
    }
    return axes;
  }

  /** The image of a key among entries, or null. */
  static @Nullable EncodedImage image(List<ContextEntry> entries, String key) {
    for (ContextEntry entry : entries) {
      if (entry instanceof Image image && image.key().equals(key)) {
        return image.image();
      }
    }
    return null;
  }

  /** How many images with numbers are among entries, which is the number of the next one. */
  static int nNumbered(List<ContextEntry> entries) {
    int n = 0;
    for (ContextEntry entry : entries) {
      if (entry instanceof Image image && image.embeddings().numbered()) {
        n++;
      }
    }
    return n;
  }

  /**
   * How many entries two contents have in common from the beginning on, but not the last one
   * wanted, which is always computed again for its logits.
   */
  static int common(List<ContextEntry> present, List<ContextEntry> wanted) {
    return Math.max(0, Math.min(shared(present, wanted), wanted.size() - 1));
  }

  /** How many entries two contents have in common from the beginning on. */
  static int shared(List<ContextEntry> a, List<ContextEntry> b) {
    int n = 0;
    while (n < Math.min(a.size(), b.size()) && a.get(n).sameAs(b.get(n))) {
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
              && mine.embeddings.equals(theirs.embeddings);
    };
  }
}
