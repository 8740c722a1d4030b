package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;
import org.jspecify.annotations.Nullable;

/**
 * Attention of heads, {@code d = softmax(scale · q · kᵀ + mask) · v} for each: floats, rows in one
 * piece.
 *
 * @param rounded whether queries, keys, values and weights may be rounded to BF16
 * @param scale above 0
 * @param nQueries rows of {@code q} and {@code d}
 * @param nKeys rows of {@code k} and {@code v}
 * @param width columns of {@code q} and {@code k}
 * @param valueWidth columns of {@code v} and {@code d}
 * @param q queries
 * @param k keys, which heads may share
 * @param v values, shared as the keys are
 * @param d results
 * @param mask what is added to the scores; null for nothing. A query that attends to no key gets
 *     zeros.
 * @param nHead heads of an item
 * @param nItems items
 */
public record AttentionHeads(
    boolean rounded,
    float scale,
    int nQueries,
    int nKeys,
    int width,
    int valueWidth,
    Matrices q,
    Matrices k,
    Matrices v,
    Matrices d,
    @Nullable ScoreMask mask,
    int nHead,
    int nItems) {
  int count() {
    return nHead * nItems;
  }

  /** The keys' and values' number, of those that heads share, for a head's. */
  int shared(int index) {
    int nShared = nHead / k.repeat2();
    return index / nHead / k.repeat3() * nShared + index % nHead / k.repeat2();
  }

  int nShared() {
    return nHead / k.repeat2() * (nItems / k.repeat3());
  }
}
