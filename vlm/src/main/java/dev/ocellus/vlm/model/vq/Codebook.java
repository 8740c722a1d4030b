package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import java.util.ArrayList;
import java.util.List;

/** The table of vectors of a VQ model: nearest entries, and entries by number. */
final class Codebook {
  /** Distances that are held at once: 64 MiB of them. */
  private static final long MAX_DISTANCES = 1L << 24;

  /** {@code torch.nn.functional.normalize}'s. */
  private static final float NORM_EPS = 1e-12f;

  private final Tensor table;
  private final boolean unitSearch;
  private final boolean unitLookup;

  private Codebook(Tensor table, boolean unitSearch, boolean unitLookup) {
    this.table = table;
    this.unitSearch = unitSearch;
    this.unitLookup = unitLookup;
  }

  /**
   * Weight {@code codebook.weight} [width, count].
   *
   * @param unitSearch whether latents and entries are brought to unit length before they are
   *     compared
   * @param unitLookup whether the entries that are looked up are
   */
  static Codebook of(Weights w, int width, int count, boolean unitSearch, boolean unitLookup) {
    return new Codebook(w.f32("codebook.weight", width, count), unitSearch, unitLookup);
  }

  int count() {
    return (int) table.size(1);
  }

  /**
   * The nearest entries by squared distance; of equals the first.
   *
   * @param latents [width of map, height of map, width, batch]
   * @return [places · batch] in I32
   */
  Tensor nearest(Tensor latents) {
    Tensor x = Maps.rows(latents);
    x = x.reshape(x.size(0), x.size(1) * x.size(2)); // [width, places · batch]
    Tensor entries = table.inGraphOf(x);
    if (unitSearch) {
      x = x.l2Norm(NORM_EPS);
      entries = entries.l2Norm(NORM_EPS);
    }
    Tensor lengths = lengths(entries);
    long n = x.size(1);
    long perPart = Math.max(1, MAX_DISTANCES / entries.size(1));
    List<Tensor> parts = new ArrayList<>();
    for (long from = 0; from < n; from += perPart) {
      long rows = Math.min(perPart, n - from);
      Tensor part = rows == n ? x : x.slice(new long[] {0, from}, x.size(0), rows).contiguous();
      // the length of the latents is the same for all entries
      parts.add(part.mulMat(entries).scale(2).sub(lengths).argmax());
    }
    Tensor codes = parts.getFirst();
    for (Tensor part : parts.subList(1, parts.size())) {
      codes = codes.concat(part, 0);
    }
    return codes;
  }

  /**
   * Squared lengths of the entries, as they are stored.
   *
   * @param latents of the graph that it is for
   * @return [count]
   */
  Tensor lengthsFor(Tensor latents) {
    return lengths(table.inGraphOf(latents));
  }

  private static Tensor lengths(Tensor entries) {
    return entries.square().sumRows().reshape(entries.size(1));
  }

  /**
   * Entries as a map.
   *
   * @param codes [places · batch]
   * @return [width of map, height of map, width, batch]
   */
  Tensor lookup(Tensor codes, int mapWidth, int mapHeight, int batch) {
    Tensor rows = table.inGraphOf(codes).getRows(codes); // [width, places · batch]
    if (unitLookup) {
      rows = rows.l2Norm(NORM_EPS);
    }
    return Maps.map(
        rows.reshape(rows.size(0), (long) mapWidth * mapHeight, batch), mapWidth, mapHeight);
  }
}
