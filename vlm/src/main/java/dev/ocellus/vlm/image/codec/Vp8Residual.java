package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.Samples;
import java.util.Arrays;

/**
 * The coefficients of a macroblock (RFC 6386, section 13) and their inverse transforms (section
 * 14): what prediction did not foresee.
 */
final class Vp8Residual {
  // Kinds of blocks, as the probabilities tell them apart.
  private static final int Y_WITHOUT_DC = 0;
  private static final int Y2 = 1;
  private static final int CHROMA = 2;
  private static final int Y_WITH_DC = 3;

  /** Blocks of a macroblock: 16 of Y, 4 of U, 4 of V. */
  private static final int BLOCKS = 24;

  private final Vp8Header header;

  /** 24 blocks of 16 coefficients. */
  private final short[] coefficients = new short[BLOCKS * 16];

  private final short[] secondOrder = new short[16];

  /** Of each block, whether it changes anything. */
  private final boolean[] coded = new boolean[BLOCKS];

  // Whether the blocks above and to the left had coefficients: for every column 4 of Y, 2 of U, 2
  // of V, and one of second order.
  private static final int FLAGS = 9;
  private final int[] above;
  private final int[] left = new int[FLAGS];

  Vp8Residual(Vp8Header header, int columns) {
    this.header = header;
    this.above = new int[columns * FLAGS];
  }

  void startRow() {
    Arrays.fill(left, 0);
  }

  /** Notes a macroblock without coefficients. */
  void skip(int column, boolean in4x4) {
    // One in 4x4 blocks has no block of second order and leaves that flag as it is.
    int flags = in4x4 ? FLAGS - 1 : FLAGS;
    Arrays.fill(left, 0, flags, 0);
    Arrays.fill(above, column * FLAGS, column * FLAGS + flags, 0);
    Arrays.fill(coded, false);
  }

  /** Reads a macroblock; returns whether it has any coefficient that is not 0. */
  boolean read(Vp8BoolReader reader, int column, boolean in4x4, int segment) {
    Arrays.fill(coefficients, (short) 0);
    Vp8Header.Quantizers q = header.quantizers[segment];
    int up = column * FLAGS;
    if (!in4x4) {
      Arrays.fill(secondOrder, (short) 0);
      int context = above[up + 8] + left[8];
      int end = readBlock(reader, Y2, context, 0, secondOrder, 0, q.y2Dc(), q.y2Ac());
      above[up + 8] = end > 0 ? 1 : 0;
      left[8] = above[up + 8];
      spreadSecondOrder();
    }
    boolean any = readPlane(reader, in4x4, up, 0, 4, 0, q.yDc(), q.yAc());
    any |= readPlane(reader, in4x4, up, 4, 2, 16, q.uvDc(), q.uvAc());
    return any | readPlane(reader, in4x4, up, 6, 2, 20, q.uvDc(), q.uvAc());
  }

  private boolean readPlane(
      Vp8BoolReader reader, boolean in4x4, int up, int flag, int side, int block, int dc, int ac) {
    int first = side == 4 && !in4x4 ? 1 : 0;
    int type = side == 2 ? CHROMA : in4x4 ? Y_WITH_DC : Y_WITHOUT_DC;
    boolean any = false;
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++, block++) {
        int context = above[up + flag + x] + left[flag + y];
        int end = readBlock(reader, type, context, first, coefficients, block * 16, dc, ac);
        above[up + flag + x] = end > first ? 1 : 0;
        left[flag + y] = above[up + flag + x];
        coded[block] = end > 1 || coefficients[block * 16] != 0;
        any |= coded[block];
      }
    }
    return any;
  }

  /**
   * Reads the tokens of a block.
   *
   * @param first place of the first coefficient in the coded order: 1 where the block of second
   *     order has the first ones
   * @return one more than the place of the last coefficient
   */
  private int readBlock(
      Vp8BoolReader reader, int type, int context, int first, short[] out, int at, int dc, int ac) {
    int[] probabilities = header.coefficientProbabilities;
    int p = probabilityIndex(type, first, context);
    for (int place = first; place < 16; place++) {
      if (!reader.read(probabilities[p])) {
        return place;
      }
      while (!reader.read(probabilities[p + 1])) {
        place++;
        if (place == 16) {
          return 16;
        }
        p = probabilityIndex(type, place, 0);
      }
      int value = 1;
      if (reader.read(probabilities[p + 2])) {
        value = readLarge(reader, p);
        p = probabilityIndex(type, place + 1, 2);
      } else {
        p = probabilityIndex(type, place + 1, 1);
      }
      value = reader.flag() ? -value : value;
      out[at + Vp8Tables.ZIGZAG[place]] = (short) (value * (place > 0 ? ac : dc));
    }
    return 16;
  }

  private static int probabilityIndex(int type, int place, int context) {
    int band = type * Vp8Tables.BANDS + Vp8Tables.BAND[place];
    return (band * Vp8Tables.CONTEXTS + context) * Vp8Tables.PROBABILITIES;
  }

  /** A magnitude of at least 2. */
  private int readLarge(Vp8BoolReader reader, int p) {
    int[] probabilities = header.coefficientProbabilities;
    if (!reader.read(probabilities[p + 3])) {
      return reader.read(probabilities[p + 4]) ? 3 + reader.bit(probabilities[p + 5]) : 2;
    }
    if (!reader.read(probabilities[p + 6])) {
      if (!reader.read(probabilities[p + 7])) {
        return 5 + reader.bit(159);
      }
      int upper = reader.bit(165);
      return 7 + 2 * upper + reader.bit(145);
    }
    int upper = reader.bit(probabilities[p + 8]);
    int category = 2 * upper + reader.bit(probabilities[p + 9 + upper]);
    int extra = 0;
    for (int probability : Vp8Tables.EXTRA_BITS[category]) {
      extra = 2 * extra + reader.bit(probability);
    }
    return 3 + (8 << category) + extra;
  }

  /** Inverse Walsh-Hadamard transform to the first coefficients of the 16 blocks of Y. */
  private void spreadSecondOrder() {
    int[] t = new int[16];
    for (int i = 0; i < 4; i++) {
      int outer = secondOrder[i] + secondOrder[12 + i];
      int inner = secondOrder[4 + i] + secondOrder[8 + i];
      int innerDifference = secondOrder[4 + i] - secondOrder[8 + i];
      int outerDifference = secondOrder[i] - secondOrder[12 + i];
      t[i] = outer + inner;
      t[4 + i] = outerDifference + innerDifference;
      t[8 + i] = outer - inner;
      t[12 + i] = outerDifference - innerDifference;
    }
    for (int i = 0; i < 16; i += 4) {
      int outer = t[i] + t[i + 3] + 3;
      int inner = t[i + 1] + t[i + 2];
      int innerDifference = t[i + 1] - t[i + 2];
      int outerDifference = t[i] - t[i + 3] + 3;
      coefficients[i * 16] = (short) ((outer + inner) >> 3);
      coefficients[(i + 1) * 16] = (short) ((outerDifference + innerDifference) >> 3);
      coefficients[(i + 2) * 16] = (short) ((outer - inner) >> 3);
      coefficients[(i + 3) * 16] = (short) ((outerDifference - innerDifference) >> 3);
    }
  }

  /** Adds block {@code block} of the macroblock that was read last to the prediction. */
  void add(int block, byte[] data, int at, int stride) {
    if (!coded[block]) {
      return;
    }
    int c = block * 16;
    int[] t = new int[16];
    for (int i = 0; i < 4; i++, c++) {
      int sum = coefficients[c] + coefficients[c + 8];
      int difference = coefficients[c] - coefficients[c + 8];
      int low = timesSine(coefficients[c + 4]) - timesCosine(coefficients[c + 12]);
      int high = timesCosine(coefficients[c + 4]) + timesSine(coefficients[c + 12]);
      t[i] = sum + high;
      t[4 + i] = difference + low;
      t[8 + i] = difference - low;
      t[12 + i] = sum - high;
    }
    for (int y = 0; y < 4; y++, at += stride) {
      int i = y * 4;
      int sum = t[i] + t[i + 2] + 4;
      int difference = t[i] - t[i + 2] + 4;
      int low = timesSine(t[i + 1]) - timesCosine(t[i + 3]);
      int high = timesCosine(t[i + 1]) + timesSine(t[i + 3]);
      addSample(data, at, sum + high);
      addSample(data, at + 1, difference + low);
      addSample(data, at + 2, difference - low);
      addSample(data, at + 3, sum - high);
    }
  }

  private static void addSample(byte[] data, int at, int value) {
    data[at] = Samples.clip((data[at] & 0xFF) + (value >> 3));
  }

  /** Times sqrt(2) cos(pi / 8), in 16-bit fixed point. */
  private static int timesCosine(int value) {
    return value + (value * 20091 >> 16);
  }

  /** Times sqrt(2) sin(pi / 8), in 16-bit fixed point. */
  private static int timesSine(int value) {
    return value * 35468 >> 16;
  }
}
