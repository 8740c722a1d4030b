package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.Linear;
import java.util.Arrays;

/**
 * Attention among the rows of a square whose scores depend on how far a key lies across and down
 * from a query (arXiv:2112.01526): two learned tables of distances, whose products with the query
 * are added to the score.
 *
 * <p>What is added to a score is a number for the key's column and one for its line. So a query
 * gets these numbers as further elements, and a key ones at its column and its line: scores stay
 * plain products, and no matrix as large as they are is ever made.
 */
final class RelativeAttention {
  private final Linear qkv;
  private final Linear out;
  private final Tensor across;
  private final Tensor down;
  private final long nHead;
  private final AttentionKernel kernel;

  private RelativeAttention(
      Linear qkv, Linear out, Tensor across, Tensor down, long nHead, AttentionKernel kernel) {
    this.qkv = qkv;
    this.out = out;
    this.across = across;
    this.down = down;
    this.nHead = nHead;
    this.kernel = kernel;
  }

  /**
   * Weights {@code qkv} [nEmbd, 3 · nEmbd], {@code out} [nEmbd, nEmbd], {@code pos_w} and {@code
   * pos_h} [nEmbd / nHead, distances].
   */
  static RelativeAttention of(Weights w, long nEmbd, long nHead) {
    long dHead = nEmbd / nHead;
    return new RelativeAttention(
        Linear.of(w.at("qkv"), nEmbd, 3 * nEmbd),
        Linear.of(w.at("out"), nEmbd, nEmbd),
        w.f32("pos_w.weight", dHead, w.at("pos_w").outputs("weight")),
        w.f32("pos_h.weight", dHead, w.at("pos_h").outputs("weight")),
        nHead,
        AttentionKernel.of(w));
  }

  /**
   * From [nEmbd, side², squares], line by line, to the same shape.
   *
   * @param side rows of a square's side
   */
  Tensor forward(SharedTables tables, Tensor x, int side) {
    long nEmbd = x.size(0);
    long n = x.size(1);
    long squares = x.size(2);
    long dHead = nEmbd / nHead;
    Tensor all = qkv.forward(x).reshape(dHead, 3 * nHead, n, squares);
    Tensor query = part(all, 0);
    Tensor places = ones(tables, side).reshape(2L * side, 1, n, 1);
    Tensor key = part(all, 1).concat(places.repeat(2L * side, nHead, n, squares), 0);
    // products are divided by the root of all elements; only those of the head are to be scaled
    float root = (float) Math.sqrt((double) key.size(0));
    float scale = (float) (1 / Math.sqrt((double) dHead));
    String name = "relative.%d.".formatted(side);
    Tensor scaled = query.mul(tables.table(name + "scale", () -> new float[] {scale * root}, 1));
    Tensor raised = query.mul(tables.table(name + "root", () -> new float[] {root}, 1));
    query = scaled.concat(columns(tables, raised, side), 0).concat(lines(tables, raised, side), 0);
    Tensor mixed =
        DotProductAttention.forward(
            query.permute(0, 2, 1, 3),
            key.permute(0, 2, 1, 3),
            part(all, 2).permute(0, 2, 1, 3),
            kernel);
    return out.forward(mixed);
  }

  private Tensor part(Tensor all, int index) {
    return all.slice(new long[] {0, index * nHead}, all.size(0), nHead, all.size(2), all.size(3))
        .contiguous();
  }

  /** For each row ones at its column and, behind all columns, at its line: [2 · side, side²]. */
  private static Tensor ones(SharedTables tables, int side) {
    return tables.table(
        "relative.%d.places".formatted(side),
        () -> {
          float[] ones = new float[2 * side * side * side];
          for (int row = 0; row < side * side; row++) {
            ones[row * 2 * side + row % side] = 1;
            ones[row * 2 * side + side + row / side] = 1;
          }
          return ones;
        },
        2L * side,
        (long) side * side);
  }

  /** What is added for each column: [side, nHead, side², squares]. */
  private Tensor columns(SharedTables tables, Tensor query, int side) {
    long dHead = query.size(0);
    long squares = query.size(3);
    Tensor byColumn =
        query
            .reshape(dHead * nHead, side, side, squares)
            .permute(0, 3, 1, 2)
            .contiguous() // [dHead · nHead, lines, squares, columns]
            .reshape(dHead, nHead * side * squares, side);
    return byColumn
        .mulMat(distances(tables, across, side))
        .reshape(side * nHead, side, squares, side)
        .permute(0, 2, 3, 1)
        .contiguous()
        .reshape(side, nHead, (long) side * side, squares);
  }

  /** What is added for each line, likewise. */
  private Tensor lines(SharedTables tables, Tensor query, int side) {
    long squares = query.size(3);
    return query
        .reshape(query.size(0), nHead * side, side, squares)
        .mulMat(distances(tables, down, side))
        .reshape(side, nHead, (long) side * side, squares);
  }

  /**
   * For the queries of each place along a side the vectors of all keys: [dHead, keys, queries]. A
   * table of another side's distances is stretched, with linear interpolation.
   */
  private static Tensor distances(SharedTables tables, Tensor table, int side) {
    int stored = Math.toIntExact(table.size(1));
    String name = "relative.%d.%d.".formatted(side, stored);
    Tensor all = table.inGraphOf(tables.pixels());
    int n = side * side;
    Tensor vectors =
        all.getRows(tables.indices(name + "first", () -> taps(side, stored, 0), stored));
    if (stored != 2 * side - 1) {
      Tensor next =
          all.getRows(tables.indices(name + "second", () -> taps(side, stored, 1), stored));
      Tensor first = tables.table(name + "weights", () -> weights(side, stored, false), 1, n);
      Tensor second = tables.table(name + "rest", () -> weights(side, stored, true), 1, n);
      vectors = vectors.mul(first).add(next.mul(second));
    }
    return vectors.reshape(table.size(0), side, side);
  }

  /** Where a distance lies in a table of others. */
  private static float place(int query, int key, int side, int stored) {
    float at = (query - key + side - 1 + 0.5f) * ((float) stored / (2 * side - 1)) - 0.5f;
    return Math.clamp(at, 0, stored - 1);
  }

  private static int[] taps(int side, int stored, int offset) {
    int[] taps = new int[side * side];
    Arrays.setAll(
        taps, i -> Math.min((int) place(i / side, i % side, side, stored) + offset, stored - 1));
    return taps;
  }

  private static float[] weights(int side, int stored, boolean second) {
    float[] weights = new float[side * side];
    for (int i = 0; i < weights.length; i++) {
      float at = place(i / side, i % side, side, stored);
      float rest = at - (int) at;
      weights[i] = second ? rest : 1 - rest;
    }
    return weights;
  }
}
