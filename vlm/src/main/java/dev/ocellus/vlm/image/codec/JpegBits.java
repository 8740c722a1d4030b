package dev.ocellus.vlm.image.codec;

/**
 * The bits of a scan between two markers, and the coefficients of blocks in them (ITU-T T.81, annex
 * F). What is not as an encoder writes it sets {@link #failed}; nothing is thrown.
 */
final class JpegBits {
  private static final int BLOCK = 64;
  private static final int EOI = 0xD9;

  /** The place in a block of every coefficient in the order of the file. */
  private static final byte[] ORDER = order();

  private final byte[] file;
  private int at;
  private long buffer;
  private int count;
  private int padding;
  private boolean failed;

  JpegBits(byte[] file, int at) {
    this.file = file;
    this.at = at;
  }

  private static byte[] order() {
    byte[] order = new byte[BLOCK];
    int row = 0;
    int column = 0;
    for (int i = 0; i < BLOCK; i++) {
      order[i] = (byte) (8 * row + column);
      boolean up = (row + column) % 2 == 0;
      if (up && column == 7) {
        row++;
      } else if (up && row == 0) {
        column++;
      } else if (up) {
        row--;
        column++;
      } else if (row == 7) {
        column++;
      } else if (column == 0) {
        row++;
      } else {
        row++;
        column--;
      }
    }
    return order;
  }

  /** The place in a block of the coefficient that comes as number {@code i}. */
  static int place(int i) {
    return ORDER[i];
  }

  /** Whether something was wrong. */
  boolean failed() {
    return failed || count < padding; // bits that are not there were used
  }

  /** Fills the buffer to more than 48 bits; with zeros where a marker or the file's end stands. */
  private void fill() {
    while (count <= 56) {
      int next = at < file.length ? file[at] & 0xFF : 0xFF;
      if (next == 0xFF) {
        if (at + 1 < file.length && file[at + 1] == 0) {
          at++;
        } else {
          padding += 8;
          buffer <<= 8;
          count += 8;
          continue;
        }
      }
      at++;
      buffer = buffer << 8 | next;
      count += 8;
    }
  }

  /**
   * Ends an interval: a marker has to stand here, after less than a byte of bits.
   *
   * @param marker the one expected
   */
  void restart(int marker) {
    int left = count - padding;
    boolean here =
        left >= 0
            && left < 8
            && at + 1 < file.length
            && (file[at] & 0xFF) == 0xFF
            && (file[at + 1] & 0xFF) == marker;
    failed |= !here;
    at += 2;
    buffer = 0;
    count = 0;
    padding = 0;
  }

  /** Whether nothing but the end marker is left. */
  boolean atEnd() {
    fill();
    restart(EOI);
    return !failed;
  }

  private int word(JpegHuffman table) {
    int peeked = (int) (buffer >>> (count - JpegHuffman.LOOK)) & ((1 << JpegHuffman.LOOK) - 1);
    int word = table.look[peeked];
    if (word == 0) {
      word = table.find((int) (buffer >>> (count - 16)) & 0xFFFF);
      failed |= word == 0;
    }
    count -= word >> 8;
    return word & 0xFF;
  }

  private int number(int bits) {
    count -= bits;
    int value = (int) (buffer >>> count) & ((1 << bits) - 1);
    return value < 1 << (bits - 1) ? value - (1 << bits) + 1 : value;
  }

  /**
   * Reads a block.
   *
   * @param out whose 64 coefficients from {@code to} on are 0, in rows
   * @param previous first coefficient of the component's last block
   * @return the first coefficient
   */
  int block(JpegHuffman dc, JpegHuffman ac, short[] out, int to, int previous) {
    fill();
    int bits = word(dc);
    int first = previous + (bits == 0 ? 0 : number(bits));
    out[to] = (short) first;
    for (int i = 1; i < BLOCK && !failed; i++) {
      if (count < 32) {
        fill();
      }
      int word = word(ac);
      int size = word & 0xF;
      int zeros = word >> 4;
      if (size == 0) {
        if (zeros != 15) {
          break;
        }
        i += 15;
        failed |= i >= BLOCK;
        continue;
      }
      i += zeros;
      if (i >= BLOCK) {
        failed = true;
        break;
      }
      out[to + ORDER[i]] = (short) number(size);
    }
    return first;
  }
}
