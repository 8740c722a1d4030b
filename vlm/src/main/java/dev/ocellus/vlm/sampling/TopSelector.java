package dev.ocellus.vlm.sampling;

import java.util.Arrays;

/**
 * Finds the k largest of many logits without sorting them all.
 *
 * <p>The logits are read as rows of a matrix, and the maximum of each column is taken: one pass
 * that the compiler turns into vector instructions and that also finds NaN and +∞. The k-th largest
 * column maximum bounds the k-th largest logit from below, so only the few columns that reach it
 * are looked at again.
 *
 * <p>A key is a long: the logit, so encoded that larger logits come first, above the index. Sorted
 * keys give logits in descending order, and equal logits in the order of their indices.
 */
final class TopSelector {
  private static final int MAX_COLUMNS = 1024;
  private static final int MIN_COLUMNS = 64;
  private static final int ROWS_WANTED = 128;
  private static final int RADIX_SORT_FROM = 4096;
  private static final int RADIX_BITS = 11;
  private static final int RADIX = 1 << RADIX_BITS;

  private final float[] columnMax = new float[MAX_COLUMNS];
  private final float[] row = new float[MAX_COLUMNS];
  private float[] heap = new float[64];
  private long[] keys = new long[256];
  private long[] spare = new long[0];
  private int columns;

  /** Takes the column maxima. Returns the largest logit; NaN if there is a NaN anywhere. */
  float scan(float[] logits, int size) {
    columns =
        Math.clamp(
            Integer.highestOneBit(Math.max(1, size / ROWS_WANTED)), MIN_COLUMNS, MAX_COLUMNS);
    Arrays.fill(columnMax, 0, columns, Float.NEGATIVE_INFINITY);
    for (int start = 0; start < size; start += columns) {
      rowMax(logits, start, Math.min(columns, size - start));
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int c = 0; c < columns; c++) {
      float x = columnMax[c];
      if (!(x <= max)) { // seldom true, so cheaper than a chain of Math.max
        if (Float.isNaN(x)) {
          return x;
        }
        max = x;
      }
    }
    return max;
  }

  private void rowMax(float[] logits, int start, int length) {
    // A copy, since C2 makes vector instructions of a loop over two arrays only where it sees that
    // the places are the same in both: three times as fast as without (22 against 64 µs for
    // 151,936).
    System.arraycopy(logits, start, row, 0, length);
    float[] max = columnMax;
    float[] values = row;
    for (int c = 0; c < length; c++) {
      max[c] = Math.max(max[c], values[c]);
    }
  }

  /** The smallest index that holds {@code max}, the result of the latest {@link #scan}. */
  int indexOfMax(float[] logits, int size, float max) {
    int best = size;
    for (int c = 0; c < columns; c++) {
      if (columnMax[c] == max) {
        for (int i = c; i < best; i += columns) {
          if (logits[i] == max) {
            best = i;
          }
        }
      }
    }
    return best;
  }

  /**
   * The keys of the {@code k} largest logits in order, in the first {@code k} places of an array
   * that the next call reuses. Without {@code scanned} the column maxima are taken first.
   */
  long[] largest(float[] logits, int size, int k, boolean scanned) {
    if (k >= size || size < 2 * MIN_COLUMNS) {
      return sortAll(logits, size);
    }
    if (!scanned) {
      scan(logits, size);
    }
    return k <= columns / 4 ? fromColumns(logits, size, k) : fromHistogram(logits, size, k);
  }

  static int index(long key) {
    return (int) key;
  }

  /** A key that sorts larger values first. */
  static long descending(float value, int index) {
    return ((long) ~ascendingBits(value) << 32) | index;
  }

  /** A key that sorts smaller values first. */
  static long ascending(float value, int index) {
    return ((long) ascendingBits(value) << 32) | index;
  }

  private static int ascendingBits(float value) {
    int bits = Float.floatToRawIntBits(value + 0f); // -0 becomes 0: the two are equal
    return bits ^ ((bits >> 31) & 0x7fff_ffff);
  }

  private long[] fromColumns(float[] logits, int size, int k) {
    float bound = kthLargestColumn(k);
    int reaching = 0;
    for (int c = 0; c < columns; c++) {
      if (columnMax[c] >= bound) {
        reaching++;
      }
    }
    // Far more columns than asked for reach the bound only when very many logits equal it, as the
    // masked ones do. Then those above it are taken, and the first of its equals fill the rest.
    boolean manyEqual = reaching > 2 * k + MIN_COLUMNS;
    int found = 0;
    for (int c = 0; c < columns; c++) {
      if (manyEqual ? columnMax[c] > bound : columnMax[c] >= bound) {
        for (int i = c; i < size; i += columns) {
          float x = logits[i];
          if (manyEqual ? x > bound : x >= bound) {
            add(found++, descending(x, i));
          }
        }
      }
    }
    for (int i = 0; manyEqual && found < k && i < size; i++) {
      if (logits[i] == bound) {
        add(found++, descending(bound, i));
      }
    }
    if (found < k) { // only where a sampler left NaN behind, which compares with nothing
      return fromHistogram(logits, size, k);
    }
    Arrays.sort(keys, 0, found);
    return keys;
  }

  private float kthLargestColumn(int k) {
    if (heap.length < k) {
      heap = new float[k];
    }
    float[] h = heap;
    System.arraycopy(columnMax, 0, h, 0, k);
    Arrays.sort(h, 0, k); // an ascending array is a heap with the smallest on top
    for (int c = k; c < columns; c++) {
      float x = columnMax[c];
      if (x > h[0]) {
        int hole = 0;
        for (int child = 1; child < k; child = 2 * hole + 1) {
          if (child + 1 < k && h[child + 1] < h[child]) {
            child++;
          }
          if (x <= h[child]) {
            break;
          }
          h[hole] = h[child];
          hole = child;
        }
        h[hole] = x;
      }
    }
    return h[0];
  }

  private long[] fromHistogram(float[] logits, int size, int k) {
    int[] count = new int[RADIX];
    int shift = Integer.SIZE - RADIX_BITS;
    for (int i = 0; i < size; i++) {
      count[(ascendingBits(logits[i]) >> shift) + RADIX / 2]++;
    }
    int bucket = RADIX - 1;
    for (int total = count[bucket]; total < k; total += count[bucket]) {
      bucket--;
    }
    int threshold = (bucket - RADIX / 2) << shift;
    int found = 0;
    for (int i = 0; i < size; i++) {
      if (ascendingBits(logits[i]) >= threshold) {
        add(found++, descending(logits[i], i));
      }
    }
    sort(found);
    return keys;
  }

  private long[] sortAll(float[] logits, int size) {
    for (int i = 0; i < size; i++) {
      add(i, descending(logits[i], i));
    }
    sort(size);
    return keys;
  }

  /** An order of {@code size} values, smallest first, as keys. */
  long[] sortAscending(float[] values, int size) {
    for (int i = 0; i < size; i++) {
      add(i, ascending(values[i], i));
    }
    sort(size);
    return keys;
  }

  private void add(int at, long key) {
    if (at == keys.length) {
      keys = Arrays.copyOf(keys, 2 * at);
    }
    keys[at] = key;
  }

  /** Sorts keys whose indices ascend. */
  private void sort(int size) {
    if (size < RADIX_SORT_FROM) {
      Arrays.sort(keys, 0, size);
      return;
    }
    if (spare.length < keys.length) {
      spare = new long[keys.length];
    }
    for (int shift = Integer.SIZE; shift < Long.SIZE; shift += RADIX_BITS) {
      int[] start = new int[RADIX + 1];
      long flip = shift + RADIX_BITS >= Long.SIZE ? Long.MIN_VALUE : 0; // keys are signed
      for (int i = 0; i < size; i++) {
        start[digit(keys[i] ^ flip, shift) + 1]++;
      }
      for (int d = 0; d < RADIX; d++) {
        start[d + 1] += start[d];
      }
      for (int i = 0; i < size; i++) {
        long key = keys[i];
        spare[start[digit(key ^ flip, shift)]++] = key;
      }
      long[] sorted = spare;
      spare = keys;
      keys = sorted;
    }
  }

  private static int digit(long key, int shift) {
    return (int) (key >>> shift) & (RADIX - 1);
  }
}
