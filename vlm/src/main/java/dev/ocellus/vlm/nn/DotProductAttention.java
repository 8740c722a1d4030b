package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention by scaled dot products (arXiv:1706.03762) in F32, with memory that stays linear in the
 * number of rows: the queries go through in parts, whose scores use the same memory one after the
 * other.
 */
final class DotProductAttention {
  /** Scores of one part: 64 MiB of them. */
  private static final long MAX_SCORES = 1L << 24;

  private static final int MAX_PARTS = 64;

  /** Most nodes of {@link #forward}. */
  static final int MAX_NODES = 4 + 8 * MAX_PARTS;

  private DotProductAttention() {}

  /**
   * @param query [dHead, nQueries, nHead, batch]
   * @param key [dHead, nKeys, nHead, batch]
   * @param value [dHead, nKeys, nHead, batch]
   * @return [dHead · nHead, nQueries, batch]
   */
  static Tensor forward(Tensor query, Tensor key, Tensor value) {
    Tensor columns = value.transpose().contiguous(); // [nKeys, dHead, nHead, batch]
    long n = query.size(1);
    long scoresPerQuery = key.size(1) * query.size(2) * query.size(3);
    long perPart = Math.max(MAX_SCORES / scoresPerQuery, (n + MAX_PARTS - 1) / MAX_PARTS);
    perPart = Math.max(1, perPart);
    List<Tensor> parts = new ArrayList<>();
    for (long from = 0; from < n; from += perPart) {
      long count = Math.min(perPart, n - from);
      Tensor part =
          count == n
              ? query
              : query.slice(
                  new long[] {0, from}, query.size(0), count, query.size(2), query.size(3));
      parts.add(part(part, key, columns));
    }
    return joined(parts);
  }

  private static Tensor part(Tensor query, Tensor key, Tensor columns) {
    float scale = (float) (1 / Math.sqrt((double) query.size(0)));
    Tensor weights = query.mulMat(key).softMax(scale); // [nKeys, nQueries, nHead, batch]
    Tensor mixed = weights.mulMat(columns); // [dHead, nQueries, nHead, batch]
    return mixed
        .permute(0, 2, 1, 3)
        .contiguous()
        .reshape(query.size(0) * query.size(2), query.size(1), query.size(3));
  }

  /** Joins rows in pairs, so that nothing is copied more often than the logarithm of the parts. */
  static Tensor joined(List<Tensor> parts) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    int half = parts.size() / 2;
    return joined(parts.subList(0, half)).concat(joined(parts.subList(half, parts.size())), 1);
  }
}
