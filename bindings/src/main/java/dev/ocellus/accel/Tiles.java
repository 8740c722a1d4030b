package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;

/**
 * Some tiles of two by two pixels of a result, row by row, and what they are made of: the sums and
 * differences of the map that Winograd's F(2×2, 3×3) multiplies (Lavin and Gray, Fast Algorithms
 * for Convolutional Neural Networks, 2016, arXiv:1509.09308).
 *
 * <p>Rows of tiles are {@code step} numbers apart, of which the last ones mean nothing: so a loop
 * goes over all rows at once. Arrays are used again from tiles to tiles.
 */
abstract sealed class Tiles permits PlainTiles, DoubledTiles {
  private final int beside;
  int firstRow;
  int firstColumn;
  int rows;
  int columns;
  int step;

  /**
   * @param beside numbers that each row of tiles has more than tiles
   */
  Tiles(int beside) {
    this.beside = beside;
  }

  /** Goes on to other tiles, of which there are not more than it was made for. */
  final void moveTo(int row, int column, int nRows, int nColumns) {
    firstRow = row;
    firstColumn = column;
    rows = nRows;
    columns = nColumns;
    step = nColumns + beside;
  }

  /** Numbers for each of the sums and differences. */
  final int count() {
    return rows * step;
  }

  /**
   * Computes them from one channel.
   *
   * @param plane address of its map
   * @param parts arrays of {@link #count} numbers, one for each of the numbers of the transformed
   *     kernel that are used
   */
  abstract void transform(long plane, float[][] parts);

  /** Reads a part of a row of a map; beside the map there are zeros. */
  static void readRow(long plane, Size size, int y, int firstX, float[] row, int at, int count) {
    int before = Math.min(count, Math.max(0, -firstX));
    int end = Math.max(before, Math.min(count, size.width() - firstX));
    boolean inside = y >= 0 && y < size.height();
    if (inside && end > before) {
      long address = plane + 4 * ((long) y * size.width() + firstX + before);
      NativeFloats.read(address, row, at + before, end - before);
    } else {
      end = before;
    }
    for (int i = 0; i < before; i++) {
      row[at + i] = 0;
    }
    for (int i = end; i < count; i++) {
      row[at + i] = 0;
    }
  }
}
