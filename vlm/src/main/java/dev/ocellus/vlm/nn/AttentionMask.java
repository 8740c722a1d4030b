package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which keys a query may attend to: 0 where it may, minus infinity where it may not.
 *
 * <p>Every query must be left a key. The result of a padding query is of no use, but without a key
 * it would be not a number.
 */
public final class AttentionMask {
  private static final float HIDDEN = Float.NEGATIVE_INFINITY;

  private final Tensor mask;
  private @Nullable Tensor half;

  private AttentionMask(Tensor mask) {
    this.mask = mask;
  }

  /**
   * A mask from an input or table of a graph; make one for a graph, not one for a layer.
   *
   * @param mask [nKeys, nQueries, 1 or nHead, 1 or batch] in F32
   */
  public static AttentionMask of(Tensor mask) {
    return new AttentionMask(mask);
  }

  /** Values [n, n] with which a row attends to itself and to what stands before it. */
  public static float[] causal(int n) {
    return causal(n, n, 0);
  }

  /**
   * Values [nKeys, nQueries] for queries at the positions from {@code nPast} on, which attend to
   * their own and all earlier positions. Keys beyond the last query, such as the unused rest of a
   * cache, are hidden.
   */
  public static float[] causal(int nQueries, int nKeys, int nPast) {
    if (nPast < 0 || nQueries < 1 || nPast + nQueries > nKeys) {
      throw new IllegalArgumentException(
          "causal: %d queries after %d positions do not fit %d keys"
              .formatted(nQueries, nPast, nKeys));
    }
    float[] values = new float[Math.multiplyExact(nQueries, nKeys)];
    for (int query = 0; query < nQueries; query++) {
      Arrays.fill(values, query * nKeys + nPast + query + 1, (query + 1) * nKeys, HIDDEN);
    }
    return values;
  }

  /**
   * Values [nKeys, nQueries, 1, batch] that hide padding behind the keys of every member of a
   * batch: for self-attention, or for cross-attention with states of several lengths.
   *
   * @param lengths keys of each member, 1 to nKeys
   */
  public static float[] padding(int nQueries, int nKeys, int... lengths) {
    float[] values =
        new float[Math.multiplyExact(Math.multiplyExact(nQueries, nKeys), lengths.length)];
    int row = 0;
    for (int length : lengths) {
      if (length < 1 || length > nKeys) {
        throw new IllegalArgumentException(
            "padding: expected lengths from 1 to %d, found %d".formatted(nKeys, length));
      }
      for (int query = 0; query < nQueries; query++, row++) {
        Arrays.fill(values, row * nKeys + length, (row + 1) * nKeys, HIDDEN);
      }
    }
    return values;
  }

  /**
   * The same where padding stands in front of the keys as well.
   *
   * @param from first key of each member that is none of padding
   */
  public static float[] padding(int nQueries, int nKeys, int[] from, int[] lengths) {
    int[] ends = new int[lengths.length];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = from[i] + lengths[i];
    }
    float[] values = padding(nQueries, nKeys, ends);
    for (int row = 0; row < nQueries * lengths.length; row++) {
      Arrays.fill(values, row * nKeys, row * nKeys + from[row / nQueries], HIDDEN);
    }
    return values;
  }

  /**
   * Values [nKeys, nQueries, 1, batch] that hide some keys of each member from all queries.
   *
   * @param hidden [batch][nKeys]; in each member one at least is not hidden
   */
  public static float[] hiding(int nQueries, boolean[][] hidden) {
    int nKeys = hidden[0].length;
    float[] values =
        new float[Math.multiplyExact(Math.multiplyExact(nQueries, nKeys), hidden.length)];
    for (int row = 0; row < nQueries * hidden.length; row++) {
      for (int key = 0; key < nKeys; key++) {
        values[row * nKeys + key] = hidden[row / nQueries][key] ? HIDDEN : 0;
      }
    }
    return values;
  }

  /**
   * What both masks leave, such as a causal one and one for padding.
   *
   * @param values [nKeys, nQueries, 1, batch]
   * @param forAll [nKeys, nQueries], the same for every member of the batch
   */
  public static float[] both(float[] values, float[] forAll) {
    float[] sum = values.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += forAll[i % forAll.length];
    }
    return sum;
  }

  /**
   * What this one and another leave.
   *
   * @param more of this mask's shape, 0 and minus infinity
   */
  public AttentionMask and(Tensor more) {
    return new AttentionMask(mask.add(more));
  }

  /**
   * This one behind that of other keys.
   *
   * @param front [their number, nQueries] 0 and minus infinity
   */
  public AttentionMask behind(Tensor front) {
    return new AttentionMask(front.concat(mask, 0));
  }

  /** Number of keys that the mask is for. */
  public long nKeys() {
    return mask.size(0);
  }

  /** In F16, which holds both values exactly and which ggml's fused kernel wants. */
  Tensor half() {
    half = half == null ? mask.toF16() : half;
    return half;
  }

  /**
   * For one query of each member of a batch.
   *
   * @param rows [batch] their numbers, of those of all members
   */
  AttentionMask queries(Tensor rows, long batch) {
    Tensor all = mask.size(3) == batch ? mask : mask.repeat(nKeys(), mask.size(1), 1, batch);
    Tensor seen = all.reshape(nKeys(), mask.size(1) * batch).getRows(rows);
    return new AttentionMask(seen.reshape(nKeys(), 1, 1, batch));
  }

  /** In F32 for {@code count} queries from {@code from} on. */
  Tensor queries(long from, long count) {
    return count == mask.size(1)
        ? mask
        : mask.slice(new long[] {0, from}, mask.size(0), count, mask.size(2), mask.size(3))
            .contiguous();
  }
}
