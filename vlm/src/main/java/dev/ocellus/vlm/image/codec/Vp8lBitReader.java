package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;

/** Bits of a lossless WebP image, of every byte the lowest first. */
final class Vp8lBitReader {
  private final byte[] data;
  private final int end;
  private int next;

  /** Bits that were read from the data but not taken, the next one lowest. */
  private long window;

  private int available;

  Vp8lBitReader(byte[] data, int start, int end) {
    this.data = data;
    this.next = start;
    this.end = end;
  }

  /** An unsigned number of at most 24 bits. */
  int read(int count) {
    int value = peek() & ((1 << count) - 1);
    skip(count);
    return value;
  }

  boolean flag() {
    return read(1) != 0;
  }

  /** At least 24 bits without taking them; zeros follow the end of the data. */
  int peek() {
    while (available < 32 && next < end) {
      window |= (data[next++] & 0xFFL) << available;
      available += 8;
    }
    return (int) window;
  }

  /** Takes bits that were peeked at. */
  void skip(int count) {
    if (count > available) {
      throw ImageFormatException.truncated("the WebP file ends in the middle of its pixels");
    }
    window >>>= count;
    available -= count;
  }
}
