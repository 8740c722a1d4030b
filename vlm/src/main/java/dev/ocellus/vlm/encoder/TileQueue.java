package dev.ocellus.vlm.encoder;

import dev.ocellus.vlm.vision.Tiles;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Tiles of one shape, from one or more images, which go through an encoder batch by batch. */
final class TileQueue {
  private final List<Tiles> sources;
  private final int total;
  private final int pixelsPerTile;
  private int done;

  /**
   * @param sources at least one, alike but for the number of tiles
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

  /**
   * Sizes of the fewest batches of at most {@code most} tiles, as equal as can be and the larger
   * ones first, so that a graph serves most of them.
   */
  int[] batches(int most) {
    int n = Math.ceilDiv(total, most);
    int[] sizes = new int[n];
    for (int i = 0; i < n; i++) {
      sizes[i] = total / n + (i < total % n ? 1 : 0);
    }
    return sizes;
  }

  /** The next {@code count} tiles. */
  Tiles next(int count) {
    Tiles first = sources.getFirst();
    if (sources.size() == 1 && count == total) {
      return first; // without a copy
    }
    float[] pixels = new float[Math.multiplyExact(count, pixelsPerTile)];
    int end = done + count;
    int start = 0; // of a source, in tiles
    for (Tiles source : sources) {
      int from = Math.max(done, start);
      int to = Math.min(end, start + source.n());
      if (from < to) {
        System.arraycopy(
            source.pixels(),
            (from - start) * pixelsPerTile,
            pixels,
            (from - done) * pixelsPerTile,
            (to - from) * pixelsPerTile);
      }
      start += source.n();
    }
    done = end;
    return first.withNumber(count, pixels);
  }

  /** Hands the rows of all tiles, in their order, out to the sources. */
  void distribute(float[] all, Map<Tiles, float[]> rows) {
    if (sources.size() == 1) {
      rows.put(sources.getFirst(), all);
      return;
    }
    int perTile = all.length / total;
    int at = 0;
    for (Tiles source : sources) {
      int length = perTile * source.n();
      rows.put(source, Arrays.copyOfRange(all, at, at + length));
      at += length;
    }
  }
}
