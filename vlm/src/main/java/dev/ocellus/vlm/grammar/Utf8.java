package dev.ocellus.vlm.grammar;

/** UTF-8 by the byte (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF. */
final class Utf8 {
  /** Smallest character of each length in bytes. */
  private static final int[] SMALLEST = {0, 0, 0x80, 0x800, 0x10000};

  private static final int[] LARGEST = {0, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

  private Utf8() {}

  /** Bytes of a character. */
  static int length(int c) {
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }

  /** Bytes of the character that begins with this byte; 0 if none does. */
  static int lengthFromFirst(int b) {
    if (b < 0x80) {
      return 1;
    }
    return b < 0xC2 ? 0 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : b < 0xF5 ? 4 : 0;
  }

  /** What the first byte contributes to the character. */
  static int firstBits(int b, int length) {
    return length == 1 ? b : b & (0x7F >> length);
  }

  /** The smallest character that a part may become: bits so far, bytes left, bytes in all. */
  static int lowest(int bits, int left, int length) {
    int low = Math.max(bits << (6 * left), SMALLEST[length]);
    return low >= Character.MIN_SURROGATE && low <= Character.MAX_SURROGATE
        ? Character.MAX_SURROGATE + 1
        : low;
  }

  /** The largest; less than {@link #lowest} if the part may become none. */
  static int highest(int bits, int left, int length) {
    int high = Math.min(((bits + 1) << (6 * left)) - 1, LARGEST[length]);
    return high >= Character.MIN_SURROGATE && high <= Character.MAX_SURROGATE
        ? Character.MIN_SURROGATE - 1
        : high;
  }

  /** A byte of a character, from 0. */
  static int byteOf(int c, int index) {
    int length = length(c);
    if (length == 1) {
      return c;
    }
    int bits = c >> (6 * (length - 1 - index));
    return index == 0 ? (0xF00 >> length & 0xFF) | bits : 0x80 | (bits & 0x3F);
  }
}
