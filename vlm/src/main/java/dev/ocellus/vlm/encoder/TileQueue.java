package dev.ocellus.vlm.encoder;

import dev.ocellus.vlm.vision.Tiles;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Tiles of one shape, from one or more images, which go through an encoder batch by batch. */
final class TileQueue {
  private final List<Tiles> sources;
  private final int total;
  private final int pixelsPerTile;
  private int taken;

  /**
   * @param sources at least one, alike but for the count of tiles
   */
  TileQueue(List<Tiles> sources) {
    this.sources = sources;
    this.total = sources.stream().mapToInt(Tiles::n).sum();
    this.pixelsPerTile = sources.getFirst().pixels().length / sources.getFirst().n();
  }

  /** Number of all tiles. */
  int size() {
    return total;
  }

  /** Values of a tile's pixels. */
  int pixelsPerTile() {
    return pixelsPerTile;
  }

  /**
   * Sizes of the fewest batches of at most {@code max} tiles, as equal as can be and the larger
   * ones first, so that a graph serves most of them.
   */
  int[] batches(int max) {
    int n = Math.ceilDiv(total, max);
    int[] sizes = new int[n];
    for (int i = 0; i < n; i++) {
      sizes[i] = total / n + (i < total % n ? 1 : 0);
    }
    return sizes;
  }

  /**
   * What goes through the encoder at once.
   *
   * @param first number of the first tile among all
   * @param tiles shape and count; their pixels are in the array beside
   * @param pixels values of the tiles and maybe of others
   * @param offset where those of the tiles begin
   */
  record Batch(int first, Tiles tiles, float[] pixels, int offset) {}

  /** The next {@code count} tiles, copied only if they come from several sources. */
  Batch next(int count) {
    int first = taken;
    int end = first + count;
    int start = 0; // of a source, in tiles
    float[] joined = null;
    for (Tiles source : sources) {
      int from = Math.max(first, start);
      int to = Math.min(end, start + source.n());
      if (to - from == count) {
        taken = end;
        Tiles shape = count == source.n() ? source : source.withCount(count);
        return new Batch(first, shape, source.pixels(), (from - start) * pixelsPerTile);
      }
      if (from < to) {
        joined = joined == null ? new float[Math.multiplyExact(count, pixelsPerTile)] : joined;
        System.arraycopy(
            source.pixels(),
            (from - start) * pixelsPerTile,
            joined,
            (from - first) * pixelsPerTile,
            (to - from) * pixelsPerTile);
      }
      start += source.n();
    }
    taken = end;
    return new Batch(
        first,
        sources.getFirst().withCount(count),
        Objects.requireNonNull(joined, "no tiles left"),
        0);
  }

  /** Copies {@code count} floats, from {@code from} on, of what some tiles gave. */
  interface Output {
    void copy(long from, int count, float[] destination, int offset);
  }

  /**
   * Hands out what the encoder gave for some tiles; may be called by several threads.
   *
   * @param first number of the first of them among all
   * @param perTile floats of each tile
   * @param embeddings for each source an array for all of its tiles, made when one of them comes
   */
  synchronized void deliver(
      int first, int count, int perTile, Output output, Map<Tiles, float[]> embeddings) {
    int end = first + count;
    int start = 0;
    for (Tiles source : sources) {
      int from = Math.max(first, start);
      int to = Math.min(end, start + source.n());
      if (from < to) {
        float[] all =
            embeddings.computeIfAbsent(
                source, k -> new float[Math.multiplyExact(source.n(), perTile)]);
        output.copy(
            (long) (from - first) * perTile, (to - from) * perTile, all, (from - start) * perTile);
      }
      start += source.n();
    }
  }
}
