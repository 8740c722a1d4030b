package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;

/** Tiles of a convolution of a map as it is. */
final class PlainTiles extends Tiles {
  private final Size size;
  private final int paddingX;
  private final int paddingY;
  private final float[] row;
  private final float[][][] pixels; // row even or odd, column even or odd
  private final float[][] evenColumns; // the four sums over rows
  private final float[][] oddColumns;
  private final float[] ahead1;
  private final float[] ahead2;

  /**
   * @param maxRows rows of tiles
   * @param maxColumns tiles of a row
   */
  PlainTiles(Size size, int paddingX, int paddingY, int maxRows, int maxColumns) {
    super(1);
    this.size = size;
    this.paddingX = paddingX;
    this.paddingY = paddingY;
    int maxStep = maxColumns + 1;
    int most = maxRows * maxStep + 1;
    row = new float[2 * maxStep];
    pixels = new float[2][2][(maxRows + 1) * maxStep + 1];
    evenColumns = new float[4][most + 1];
    oddColumns = new float[4][most + 1];
    ahead1 = new float[most];
    ahead2 = new float[most];
  }

  @Override
  void transform(long plane, float[][] parts) {
    for (int i = 0; i <= rows; i++) {
      for (int odd = 0; odd < 2; odd++) {
        int y = 2 * (firstRow + i) - paddingY + odd;
        readRow(plane, size, y, 2 * firstColumn - paddingX, row, 0, 2 * step);
        split(row, pixels[odd][0], pixels[odd][1], i * step, step);
      }
    }
    transform(pixels[0][0], pixels[1][0], step, evenColumns, 0, count() + 1);
    transform(pixels[0][1], pixels[1][1], step, oddColumns, 0, count() + 1);
    for (int i = 0; i < 4; i++) {
      transform(evenColumns[i], oddColumns[i], 1, parts, 4 * i, count());
    }
  }

  private static void split(float[] row, float[] even, float[] odd, int at, int count) {
    for (int i = 0; i < count; i++) {
      even[at + i] = row[2 * i];
      odd[at + i] = row[2 * i + 1];
    }
  }

  /**
   * Of four numbers that follow each other, an even one, an odd one, and the two that are {@code
   * step} further on.
   */
  private void transform(float[] even, float[] odd, int step, float[][] to, int at, int n) {
    System.arraycopy(even, step, ahead1, 0, n);
    System.arraycopy(odd, step, ahead2, 0, n);
    transform(even, odd, ahead1, ahead2, to[at], to[at + 1], to[at + 2], to[at + 3], n);
  }

  private static void transform(
      float[] d0,
      float[] d1,
      float[] d2,
      float[] d3,
      float[] to0,
      float[] to1,
      float[] to2,
      float[] to3,
      int n) {
    for (int i = 0; i < n; i++) {
      to0[i] = d0[i] - d2[i];
      to1[i] = d1[i] + d2[i];
      to2[i] = d2[i] - d1[i];
      to3[i] = d1[i] - d3[i];
    }
  }
}
