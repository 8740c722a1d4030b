package dev.ocellus.accel;

import java.util.Arrays;

/**
 * Which keys queries attend to, read once from a mask for all heads and blocks: from the first to
 * the last one of each query. Whether there is one that is hidden or weighed between them is known
 * too, since the usual masks, causal ones and those of padding, have none, and then their numbers
 * need not be read again.
 */
final class SeenKeys {
  /** Numbers that one thread reads at once. */
  private static final int PIECE = 1 << 18;

  private static final short HIDDEN = Float.floatToFloat16(Float.NEGATIVE_INFINITY);

  private final ScoreMask mask;
  private final int nQueries;
  private final int nKeys;
  private final short[] zeros;
  private final short[] hidden;

  // by query of each matrix
  private final int[] from;
  private final int[] to;
  private final boolean[] plain;

  private SeenKeys(ScoreMask mask, int nQueries, int nKeys) {
    this.mask = mask;
    this.nQueries = nQueries;
    this.nKeys = nKeys;
    zeros = new short[nKeys];
    hidden = new short[nKeys];
    Arrays.fill(hidden, HIDDEN);
    int rows = Math.multiplyExact(mask.count(), nQueries);
    from = new int[rows];
    to = new int[rows];
    plain = new boolean[rows];
  }

  /** Reads a mask, a large one on several threads. */
  static SeenKeys of(ScoreMask mask, int nQueries, int nKeys, Crew crew) throws Throwable {
    SeenKeys seen = new SeenKeys(mask, nQueries, nKeys);
    int rows = seen.from.length;
    int perPiece = Math.max(1, PIECE / nKeys);
    if (rows <= perPiece) {
      seen.read(0, rows, new short[nKeys]);
    } else {
      crew.pieces(
          Math.ceilDiv(rows, perPiece),
          (piece, thread) -> {
            int first = piece * perPiece;
            seen.read(first, Math.min(rows, first + perPiece), new short[nKeys]);
          });
    }
    return seen;
  }

  /** Reads a mask on this thread. */
  static SeenKeys of(ScoreMask mask, int nQueries, int nKeys) {
    SeenKeys seen = new SeenKeys(mask, nQueries, nKeys);
    seen.read(0, seen.from.length, new short[nKeys]);
    return seen;
  }

  private void read(int first, int end, short[] row) {
    for (int i = first; i < end; i++) {
      NativeFloats.readHalves(mask.at(i / nQueries, i % nQueries), row, nKeys);
      int start = length(row, 0, hidden);
      int seen = start + length(row, start, zeros);
      plain[i] = seen + length(row, seen, hidden) == nKeys;
      from[i] = start;
      to[i] = plain[i] ? seen : last(row) + 1;
    }
  }

  /** How many numbers of a row are the same as those of another, from one on. */
  private static int length(short[] row, int first, short[] same) {
    int different = Arrays.mismatch(row, first, row.length, same, 0, row.length - first);
    return different < 0 ? row.length - first : different;
  }

  private static int last(short[] row) {
    int i = row.length - 1;
    while (row[i] == HIDDEN) {
      i--;
    }
    return i;
  }

  /** The place of a query of an item's head. */
  int place(int i2, int i3, int query) {
    return mask.matrix(i2, i3) * nQueries + query;
  }

  /** The first key that a query attends to; the number of keys if there is none. */
  int from(int place) {
    return from[place];
  }

  /** The first key behind those that a query attends to. */
  int to(int place) {
    return to[place];
  }

  /** The first key that one of so many queries attends to, from one on. */
  int first(int place, int count) {
    int first = nKeys;
    for (int i = place; i < place + count; i++) {
      first = Math.min(first, from[i]);
    }
    return first;
  }

  /** The first key behind those that one of them attends to; 0 if there are none. */
  int end(int place, int count) {
    int end = 0;
    for (int i = place; i < place + count; i++) {
      end = from[i] < to[i] ? Math.max(end, to[i]) : end;
    }
    return end;
  }

  /** Whether a query attends to all keys between them, and adds nothing to their scores. */
  boolean isPlain(int place) {
    return plain[place];
  }

  /**
   * Reads what is added to the scores of a query.
   *
   * @param first key
   * @param n keys
   */
  void read(int place, int first, int n, short[] halves, float[] target) {
    long row = mask.at(place / nQueries, place % nQueries);
    NativeFloats.readHalves(row + 2L * first, halves, n);
    for (int i = 0; i < n; i++) {
      target[i] = Float.float16ToFloat(halves[i]);
    }
  }
}
