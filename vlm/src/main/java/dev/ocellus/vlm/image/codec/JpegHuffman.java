package dev.ocellus.vlm.image.codec;

import org.jspecify.annotations.Nullable;

/** A Huffman code of JPEG (ITU-T T.81, annex C), with a table for all but its longest words. */
final class JpegHuffman {
  /** Bits that are looked up at once. */
  static final int LOOK = 9;

  private static final int MAX_BITS = 16;

  /**
   * For every {@value #LOOK} bits that begin with a word of no more: its length in the upper half,
   * its value in the lower; 0 for others.
   */
  final short[] look = new short[1 << LOOK];

  /** The first code of each length less the place of its value, and the last code plus one. */
  private final int[] offset = new int[MAX_BITS + 1];

  private final int[] end = new int[MAX_BITS + 1];
  private final byte[] values;

  private JpegHuffman(byte[] values) {
    this.values = values;
  }

  /**
   * Reads a table.
   *
   * @param at of its 16 counts, which its values follow
   * @param dc whether its values are numbers of bits, 15 at most
   * @return null if no decoder would take it
   */
  static @Nullable JpegHuffman read(byte[] file, int at, int limit, boolean dc) {
    int total = 0;
    for (int i = 0; i < MAX_BITS; i++) {
      total += file[at + i] & 0xFF;
    }
    if (total > 256 || at + MAX_BITS + total > limit) {
      return null;
    }
    byte[] values = new byte[total];
    System.arraycopy(file, at + MAX_BITS, values, 0, total);
    JpegHuffman table = new JpegHuffman(values);
    int code = 0;
    int place = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
      int count = file[at + bits - 1] & 0xFF;
      table.offset[bits] = place - code;
      for (int i = 0; i < count; i++, code++, place++) {
        if (code >= 1 << bits || (dc && (values[place] & 0xFF) > 15)) {
          return null;
        }
        table.fill(code, bits, values[place] & 0xFF);
      }
      table.end[bits] = count == 0 ? -1 : code;
      code <<= 1;
    }
    return table;
  }

  private void fill(int code, int bits, int value) {
    if (bits > LOOK) {
      return;
    }
    int first = code << (LOOK - bits);
    for (int i = 0; i < 1 << (LOOK - bits); i++) {
      look[first + i] = (short) (bits << 8 | value);
    }
  }

  /** Bytes that {@link #read} took, its counts included. */
  int length() {
    return MAX_BITS + values.length;
  }

  /**
   * Looks up a word that is longer than {@value #LOOK} bits.
   *
   * @param bits the next 16
   * @return length and value as in {@link #look}; 0 if no word begins so
   */
  int find(int bits) {
    for (int length = LOOK + 1; length <= MAX_BITS; length++) {
      int code = bits >> (MAX_BITS - length);
      if (code < end[length]) {
        return length << 8 | values[code + offset[length]] & 0xFF;
      }
    }
    return 0;
  }
}
