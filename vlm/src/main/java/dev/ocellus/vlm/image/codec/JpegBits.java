package dev.ocellus.vlm.image.codec;

import java.util.Arrays;

/**
 * The bits of a scan, and the coefficients of blocks in them (ITU-T T.81, annex F). Damage is
 * recovered from as libjpeg-turbo does (<a
 * href="https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.1.0/src/jdhuff.c">jdhuff.c</a>): what
 * is no code word ends a block, bits behind a marker are 0, and the rest of such an interval is
 * gray.
 */
final class JpegBits {
  private static final int BLOCK = 64;

  /** The place in a block of every coefficient in the order of the file, and of 16 behind them. */
  private static final byte[] ORDER = order();

  /** What stands for bits that begin no word: they are skipped, and it is worth 0. */
  private static final int NO_WORD = 17 << 8;

  private final byte[] file;
  private int at;
  private long buffer;
  private int count;
  private int padding;

  JpegBits(byte[] file, int at) {
    this.file = file;
    this.at = at;
  }

  private static byte[] order() {
    byte[] order = new byte[BLOCK + 16];
    Arrays.fill(order, (byte) (BLOCK - 1));
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

  /** Whether bits were used that are not there; what follows up to the next restart is unknown. */
  boolean isExhausted() {
    return count < padding;
  }

  /** Fills the buffer to more than 48 bits; with zeros where a marker or the file's end stands. */
  private void fill() {
    while (count <= 56) {
      int next = at < file.length ? file[at] & 0xFF : 0xFF;
      if (next == 0xFF) {
        int code = afterFill(at);
        if (code >= file.length || file[code] != 0) {
          padding += 8;
          buffer <<= 8;
          count += 8;
          continue;
        }
        at = code;
      }
      at++;
      buffer = buffer << 8 | next;
      count += 8;
    }
  }

  /** Where the byte stands that is no 0xFF any more. */
  private int afterFill(int from) {
    int i = from;
    while (i < file.length && (file[i] & 0xFF) == 0xFF) {
      i++;
    }
    return i;
  }

  /**
   * Goes on behind the next marker.
   *
   * @param marker the one expected
   * @return whether it is that one
   */
  boolean restart(int marker) {
    while (at < file.length) {
      int code = afterFill(at);
      if (code > at && code < file.length && file[code] != 0) {
        at = code + 1;
        buffer = 0;
        count = 0;
        padding = 0;
        return (file[code] & 0xFF) == marker;
      }
      at = Math.max(code, at + 1);
    }
    return false;
  }

  private int word(JpegHuffman table) {
    int peeked = (int) (buffer >>> (count - JpegHuffman.LOOK)) & ((1 << JpegHuffman.LOOK) - 1);
    int word = table.look[peeked];
    if (word == 0) {
      word = table.find((int) (buffer >>> (count - 16)) & 0xFFFF);
      if (word == 0) {
        word = NO_WORD;
      }
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
    for (int i = 1; i < BLOCK; i++) {
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
        continue;
      }
      i += zeros;
      out[to + ORDER[i]] = (short) number(size);
    }
    return first;
  }
}
