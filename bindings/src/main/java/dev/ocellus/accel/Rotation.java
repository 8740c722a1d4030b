package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;

/**
 * Rotary positions in one pass, {@code d = x · cos + y · sin}, where {@code y} is {@code x} with
 * the blocks of each head exchanged in pairs. Each of the three steps is rounded as if it stood
 * alone.
 *
 * @param width numbers of a head, whose rows lie one behind the other in each of {@code x}
 * @param block numbers that are exchanged with as many behind them; twice it divides the width
 * @param nHead heads of a row
 * @param nRows rows of an item
 * @param nItems items
 * @param x heads: a matrix for each row of each item
 * @param cos address of a cosine for each number of a head, row after row
 * @param sin the same of sines
 * @param target address of the results, which lie one after the other
 */
public record Rotation(
    int width,
    int block,
    int nHead,
    int nRows,
    int nItems,
    Matrices x,
    long cos,
    long sin,
    long target) {
  /** All rows of all items. */
  int count() {
    return nRows * nItems;
  }

  /** Numbers of a row. */
  int size() {
    return nHead * width;
  }

  /** Computes some of the rows of all items. */
  void compute(int first, int count) {
    float[] values = new float[size()];
    float[] exchanged = new float[values.length];
    float[] cosines = new float[values.length];
    float[] sines = new float[values.length];
    for (int i = first; i < first + count; i++) {
      int row = i % nRows;
      readHeads(x.at(row, i / nRows), values);
      exchange(values, exchanged);
      readForHeads(cos + 4L * row * width, cosines);
      readForHeads(sin + 4L * row * width, sines);
      turn(values, exchanged, cosines, sines);
      NativeFloats.write(values, 0, target + 4L * i * values.length, values.length);
    }
  }

  private void readHeads(long address, float[] values) {
    if (x.row() == 4L * width) {
      NativeFloats.read(address, values, 0, values.length);
      return;
    }
    for (int head = 0; head < nHead; head++) {
      NativeFloats.read(address + head * x.row(), values, head * width, width);
    }
  }

  /** The numbers of one head, repeated for all. */
  private void readForHeads(long address, float[] values) {
    NativeFloats.read(address, values, 0, width);
    for (int done = width; done < values.length; done *= 2) {
      System.arraycopy(values, 0, values, done, Math.min(done, values.length - done));
    }
  }

  private void exchange(float[] values, float[] exchanged) {
    for (int i = 0; i < values.length; i += 2 * block) {
      System.arraycopy(values, i + block, exchanged, i, block);
      System.arraycopy(values, i, exchanged, i + block, block);
    }
  }

  private static void turn(float[] values, float[] exchanged, float[] cosines, float[] sines) {
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] * cosines[i] + exchanged[i] * sines[i];
    }
  }
}
