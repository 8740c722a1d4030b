package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;

/**
 * The arithmetic decoder of VP8 (RFC 6386, section 7): one decision of given probability a time.
 */
final class Vp8BoolReader {
  /** Zero bytes that may be read beyond the end: an encoder may leave out the last ones. */
  private static final int BORROWED = 8;

  private final byte[] data;
  private final int end;
  private int next;
  private int range = 255;

  /** The not yet decided part of the data: 8 bits in front of {@code bits} more. */
  private int value;

  private int bits = -8;

  Vp8BoolReader(byte[] data, int start, int end) {
    this.data = data;
    this.next = start;
    this.end = end;
  }

  /** A decision that is false with probability {@code probability / 256}. */
  boolean read(int probability) {
    while (bits < 0) {
      value = value << 8 | nextByte();
      bits += 8;
    }
    int split = 1 + (((range - 1) * probability) >> 8);
    int aligned = split << bits;
    boolean bit = value >= aligned;
    if (bit) {
      range -= split;
      value -= aligned;
    } else {
      range = split;
    }
    int shift = Integer.numberOfLeadingZeros(range) - 24;
    range <<= shift;
    bits -= shift;
    return bit;
  }

  private int nextByte() {
    if (next < end) {
      return data[next++] & 0xFF;
    }
    if (++next > end + BORROWED) {
      throw ImageFormatException.truncated("the WebP file ends in the middle of its pixels");
    }
    return 0;
  }

  /** 0 or 1, which is 1 with probability {@code 1 - probability / 256}. */
  int bit(int probability) {
    return read(probability) ? 1 : 0;
  }

  boolean flag() {
    return read(128);
  }

  /** An unsigned number of {@code count} bits. */
  int number(int count) {
    int number = 0;
    for (int i = 0; i < count; i++) {
      number = number << 1 | bit(128);
    }
    return number;
  }

  /** A number of {@code count} bits and a sign. */
  int signedNumber(int count) {
    int number = number(count);
    return flag() ? -number : number;
  }

  /** A signed number if a flag says that there is one, and otherwise {@code absent}. */
  int optional(int count, int absent) {
    return flag() ? signedNumber(count) : absent;
  }
}
