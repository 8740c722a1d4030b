package dev.ocellus.vlm.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode characters. Surrogates are never in it, as UTF-8 cannot write them.
 *
 * <p>Immutable; equality is that of the characters.
 */
public final class CharSet {
  /** The last character of Unicode. */
  public static final int MAX = Character.MAX_CODE_POINT;

  /** Every character. */
  public static final CharSet ANY = of(0, MAX);

  /** No character. */
  public static final CharSet NONE = new CharSet(new int[0]);

  /** First and last characters of ranges, ascending, neither touching nor overlapping. */
  private final int[] ranges;

  private final long low;
  private final long high;

  private CharSet(int[] ranges) {
    this.ranges = ranges;
    long first = 0;
    long second = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      for (int c = ranges[i]; c <= Math.min(127, ranges[i + 1]); c++) {
        if (c < 64) {
          first |= 1L << c;
        } else {
          second |= 1L << (c - 64);
        }
      }
    }
    this.low = first;
    this.high = second;
  }

  /** The characters from {@code first} to {@code last}. */
  public static CharSet of(int first, int last) {
    return ofRanges(List.of(new int[] {first, last}));
  }

  /** The characters of a string. */
  public static CharSet ofChars(String chars) {
    return ofRanges(chars.codePoints().mapToObj(c -> new int[] {c, c}).toList());
  }

  /** The union of ranges, each a first and a last character. */
  public static CharSet ofRanges(List<int[]> wanted) {
    List<int[]> sorted = new ArrayList<>();
    for (int[] range : wanted) {
      addWithoutSurrogates(sorted, range[0], range[1]);
    }
    sorted.sort(Comparator.comparingInt(r -> r[0]));
    int[] merged = new int[2 * sorted.size()];
    int n = 0;
    for (int[] range : sorted) {
      if (n > 0 && range[0] <= merged[n - 1] + 1) {
        merged[n - 1] = Math.max(merged[n - 1], range[1]);
      } else {
        merged[n++] = range[0];
        merged[n++] = range[1];
      }
    }
    return new CharSet(Arrays.copyOf(merged, n));
  }

  private static void addWithoutSurrogates(List<int[]> to, int first, int last) {
    if (first <= Math.min(last, Character.MIN_SURROGATE - 1)) {
      to.add(new int[] {first, Math.min(last, Character.MIN_SURROGATE - 1)});
    }
    if (Math.max(first, Character.MAX_SURROGATE + 1) <= last) {
      to.add(new int[] {Math.max(first, Character.MAX_SURROGATE + 1), last});
    }
  }

  /** The characters of either set. */
  public CharSet union(CharSet other) {
    List<int[]> all = asList();
    all.addAll(other.asList());
    return ofRanges(all);
  }

  /** The characters that are not in the set. */
  public CharSet complement() {
    List<int[]> rest = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      rest.add(new int[] {from, ranges[i] - 1});
      from = ranges[i + 1] + 1;
    }
    rest.add(new int[] {from, MAX});
    return ofRanges(rest);
  }

  /** The characters that are not in the other set. */
  public CharSet minus(CharSet other) {
    return complement().union(other).complement();
  }

  /** The characters of both sets. */
  public CharSet intersect(CharSet other) {
    return complement().union(other.complement()).complement();
  }

  private List<int[]> asList() {
    List<int[]> list = new ArrayList<>();
    for (int i = 0; i < ranges.length; i += 2) {
      list.add(new int[] {ranges[i], ranges[i + 1]});
    }
    return list;
  }

  /** Whether no character is in the set. */
  public boolean isEmpty() {
    return ranges.length == 0;
  }

  /** Whether a character is in the set. */
  public boolean contains(int c) {
    if (c < 64) {
      return (low >>> c & 1) != 0;
    }
    if (c < 128) {
      return (high >>> (c - 64) & 1) != 0;
    }
    return first(c, c) >= 0;
  }

  /** The first character of the set from {@code from} to {@code to}, or −1. */
  public int first(int from, int to) {
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i + 1] >= from) {
        int c = Math.max(from, ranges[i]);
        return c <= to ? c : -1;
      }
    }
    return -1;
  }

  /** UTF-8 bytes of the shortest character. */
  int shortestBytes() {
    return ranges.length == 0 ? 0 : Utf8.length(ranges[0]);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof CharSet other && Arrays.equals(ranges, other.ranges);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ranges);
  }

  /** As GBNF writes it. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("[");
    for (int i = 0; i < ranges.length; i += 2) {
      out.append(escaped(ranges[i]));
      if (ranges[i + 1] > ranges[i]) {
        out.append('-').append(escaped(ranges[i + 1]));
      }
    }
    return out.append(']').toString();
  }

  private static String escaped(int c) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
      return String.valueOf((char) c);
    }
    return c < 0x100
        ? "\\x%02X".formatted(c)
        : c < 0x10000 ? "\\u%04X".formatted(c) : "\\U%08X".formatted(c);
  }
}
