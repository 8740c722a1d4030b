package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The order in which CPython (3.8 and later, 64 bits) goes through a set of pairs of small
 * integers. Where a reference sorts such a set by a key that several pairs share, this order
 * decides among them.
 *
 * <p>Source: <a
 * href="https://github.com/python/cpython/blob/v3.11.7/Objects/setobject.c">setobject.c</a>, <a
 * href="https://github.com/python/cpython/blob/v3.11.7/Objects/tupleobject.c">tupleobject.c</a>.
 */
final class TupleSet {
  private static final int LINEAR_PROBES = 9;
  private static final int PERTURB_SHIFT = 5;
  private static final int LARGE = 50_000;

  private static final long PRIME_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;
  private static final long PRIME_5 = 0x27D4EB2F165667C5L;

  private @Nullable ImageSize[] table = new @Nullable ImageSize[8];
  private int used;

  private TupleSet() {}

  /** The pairs (width, height) in the order of a set to which they were added one by one. */
  static List<ImageSize> ordered(List<ImageSize> pairs) {
    TupleSet set = new TupleSet();
    pairs.forEach(set::add);
    List<ImageSize> order = new ArrayList<>();
    for (ImageSize pair : set.table) {
      if (pair != null) {
        order.add(pair);
      }
    }
    return order;
  }

  private void add(ImageSize pair) {
    if (insert(table, pair)) {
      used++;
      int mask = table.length - 1;
      if ((long) used * 5 >= (long) mask * 3) {
        grow(used > LARGE ? used * 2 : used * 4);
      }
    }
  }

  private void grow(int minUsed) {
    int size = 8;
    while (size <= minUsed) {
      size <<= 1;
    }
    @Nullable ImageSize[] larger = new @Nullable ImageSize[size];
    for (ImageSize pair : table) {
      if (pair != null) {
        boolean unused = insert(larger, pair);
      }
    }
    table = larger;
  }

  /** Whether it was not there yet. */
  private static boolean insert(@Nullable ImageSize[] table, ImageSize pair) {
    long hash = hash(pair);
    long perturb = hash;
    int mask = table.length - 1;
    int i = (int) hash & mask;
    while (true) {
      int probes = i + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
      for (int at = i; at <= i + probes; at++) {
        ImageSize there = table[at];
        if (there == null) {
          table[at] = pair;
          return true;
        }
        if (there.equals(pair)) {
          return false;
        }
      }
      perturb >>>= PERTURB_SHIFT;
      i = (int) (i * 5L + 1 + perturb) & mask;
    }
  }

  private static long hash(ImageSize pair) {
    long sum = mixed(mixed(PRIME_5, pair.width()), pair.height());
    sum += 2 ^ (PRIME_5 ^ 3527539L);
    return sum == -1 ? 1546275796L : sum;
  }

  private static long mixed(long sum, long element) {
    return Long.rotateLeft(sum + element * PRIME_2, 31) * PRIME_1;
  }
}
