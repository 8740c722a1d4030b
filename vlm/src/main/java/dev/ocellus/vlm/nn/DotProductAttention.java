package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention by scaled dot products (arXiv:1706.03762) in F32, with memory that stays linear in the
 * number of rows.
 *
 * <p>On a CPU that is ggml's fused kernel with F32 keys and values, which never holds the scores
 * and takes a third of the time of ggml's separate products, but twice that of an accelerator's,
 * which therefore computes all but small ones as one node, too. Small ones, and those on other
 * devices, whose fused kernels round keys and values to F16, take the steps one by one: the queries
 * go through in parts, whose scores use the same memory one after the other.
 */
public final class DotProductAttention {
  /** Scores of one part: 64 MiB of them. */
  private static final long MAX_SCORES = 1L << 24;

  private static final int MAX_PARTS = 64;

  /** The fused kernel is fast from so many rows on... */
  private static final int FUSED_ROWS = 64;

  /** ... and with heads whose width is a multiple of this; zeros change no product. */
  private static final int FUSED_WIDTH = 16;

  /** An accelerator's node is faster from so many rows on... */
  private static final int NODE_ROWS = 32;

  /** ... and from so many multiplications of queries and keys, which is when handing over pays. */
  private static final long NODE_WORK = 1L << 20;

  /** From so many on, copies in BF16 cost less than they gain. */
  private static final long LARGE = 32L << 20;

  /** One query may have so many keys that copying their values costs more than the products. */
  private static final int MANY_KEYS = 16;

  /** From so many rows on, keys side by side are read often enough to pay for a copy. */
  private static final int COPIED_ROWS = 256;

  private DotProductAttention() {}

  /**
   * Every query attends to every key.
   *
   * @param query [dHead, nQueries, nHead, batch]
   * @param key [dHead, nKeys, nHeadKv, batch]; nHead is a multiple of nHeadKv
   * @param value [dHead or another width, nKeys, nHeadKv, batch]
   * @param kernel how it is computed best where it is computed
   * @return [width of values · nHead, nQueries, batch]
   */
  public static Tensor forward(Tensor query, Tensor key, Tensor value, AttentionKernel kernel) {
    return forward(query, key, value, null, kernel);
  }

  /**
   * Every query attends to the keys that the mask leaves it.
   *
   * @param mask for nKeys and nQueries; null for none
   */
  public static Tensor forward(
      Tensor query,
      Tensor key,
      Tensor value,
      @Nullable AttentionMask mask,
      AttentionKernel kernel) {
    return forward(query, key, value, mask, kernel, scale(query));
  }

  /**
   * Every query attends to every key, by their products as they are, which others divide by the
   * square root of dHead.
   */
  public static Tensor unscaled(Tensor query, Tensor key, Tensor value, AttentionKernel kernel) {
    return forward(query, key, value, null, kernel, 1);
  }

  private static Tensor forward(
      Tensor query,
      Tensor key,
      Tensor value,
      @Nullable AttentionMask mask,
      AttentionKernel kernel,
      float scale) {
    if (isAccelerated(query, key, kernel)) {
      boolean rounded = kernel == AttentionKernel.ROUNDED && isLarge(query, key);
      Tensor half = mask == null ? null : mask.half();
      return rows(query.attention(key, value, half, scale).accelerated(rounded));
    }
    return kernel != AttentionKernel.STEPWISE && isFused(query, key)
        ? inOneKernel(query, key, value, mask, scale)
        : stepwise(query, key, value, mask, scale);
  }

  private static float scale(Tensor query) {
    return (float) (1 / Math.sqrt((double) query.size(0)));
  }

  /** [dHead, nHead, nQueries, batch] as [dHead · nHead, nQueries, batch]. */
  private static Tensor rows(Tensor mixed) {
    return mixed.reshape(mixed.size(0) * mixed.size(1), mixed.size(2), mixed.size(3));
  }

  private static boolean isFused(Tensor query, Tensor key) {
    boolean fewQueries = query.size(1) * MANY_KEYS <= key.size(1);
    return query.size(1) >= FUSED_ROWS || fewQueries;
  }

  /** Whether an accelerator computes one item of a batch faster than ggml. */
  private static boolean isAccelerated(Tensor query, Tensor key, AttentionKernel kernel) {
    return switch (kernel) {
      case STEPWISE, FUSED -> false;
      case ACCELERATED, ROUNDED ->
          Accel.takesEverything()
              || query.size(1) >= NODE_ROWS && multiplications(query, key) >= NODE_WORK;
    };
  }

  /** Whether so much is multiplied that rounding for it pays. */
  private static boolean isLarge(Tensor query, Tensor key) {
    return Accel.takesEverything()
        || query.size(1) >= FUSED_ROWS && multiplications(query, key) >= LARGE;
  }

  /** Those of one item's queries and keys. */
  private static long multiplications(Tensor query, Tensor key) {
    return query.nElements() / query.size(3) * key.size(1);
  }

  private static Tensor inOneKernel(
      Tensor query, Tensor key, Tensor value, @Nullable AttentionMask mask, float scale) {
    long dHead = value.size(0);
    Tensor half = mask == null ? null : mask.half();
    Tensor mixed; // [padded dHead, nHead, nQueries, batch]
    if (query.size(1) < FUSED_ROWS) {
      mixed = query.attention(key, value, half, scale);
    } else {
      mixed = padded(query).attention(padded(near(key)), padded(near(value)), half, scale);
    }
    if (mixed.size(0) != dHead) {
      mixed =
          mixed
              .slice(new long[] {}, dHead, mixed.size(1), mixed.size(2), mixed.size(3))
              .contiguous();
    }
    return rows(mixed);
  }

  private static Tensor padded(Tensor x) {
    return x.padRows(Math.ceilDiv(x.size(0), FUSED_WIDTH) * FUSED_WIDTH);
  }

  private static Tensor near(Tensor x) {
    return x.size(1) >= COPIED_ROWS ? x.contiguous() : x;
  }

  private static Tensor stepwise(
      Tensor query, Tensor key, Tensor value, @Nullable AttentionMask mask, float scale) {
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
      Tensor hidden = mask == null ? null : mask.queries(from, count);
      parts.add(part(part, key, columns, hidden, n, scale));
    }
    return joined(parts);
  }

  /**
   * @param n all queries
   */
  private static Tensor part(
      Tensor query, Tensor key, Tensor columns, @Nullable Tensor mask, long n, float scale) {
    long nItems = query.size(3);
    Tensor scores = query.mulMat(key).ofItems(n, nItems); // [nKeys, nQueries, nHead, batch]
    Tensor weights = mask == null ? scores.softMax(scale) : scores.softMax(scale, mask);
    Tensor mixed = weights.mulMat(columns).ofItems(n, nItems); // [dHead, nQueries, nHead, batch]
    return mixed
        .permute(0, 2, 1, 3)
        .contiguous()
        .reshape(columns.size(1) * query.size(2), query.size(1), query.size(3));
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
