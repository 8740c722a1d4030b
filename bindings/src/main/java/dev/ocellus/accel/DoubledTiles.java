package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;

/**
 * Tiles of a convolution of a map in which every pixel stands for two by two: each pixel is a tile.
 * As neighbors are equal, the third of the four differences is zero, across and down, so that nine
 * of sixteen products are left.
 */
final class DoubledTiles extends Tiles {
  private final Size size;
  private final float[] pixels;
  private final float[][] sums;
  private final float[] ahead1;
  private final float[] ahead2;

  /**
   * @param maxRows rows of tiles
   * @param maxColumns tiles of a row
   */
  DoubledTiles(Size size, int maxRows, int maxColumns) {
    super(2);
    this.size = size;
    int maxStep = maxColumns + 2;
    int most = maxRows * maxStep + 2;
    pixels = new float[(maxRows + 2) * maxStep + 2];
    sums = new float[3][most + 2];
    ahead1 = new float[most];
    ahead2 = new float[most];
  }

  @Override
  void transform(long plane, float[][] parts) {
    for (int i = 0; i < rows + 2; i++) {
      readRow(plane, size, firstRow + i - 1, firstColumn - 1, pixels, i * step, step);
    }
    transform(pixels, step, sums, 0, count() + 2);
    for (int i = 0; i < 3; i++) {
      transform(sums[i], 1, parts, 3 * i, count());
    }
  }

  private void transform(float[] from, int step, float[][] to, int at, int n) {
    System.arraycopy(from, step, ahead1, 0, n);
    System.arraycopy(from, 2 * step, ahead2, 0, n);
    transform(from, ahead1, ahead2, to[at], to[at + 1], to[at + 2], n);
  }

  private static void transform(
      float[] d0, float[] d1, float[] d2, float[] to0, float[] to1, float[] to3, int n) {
    for (int i = 0; i < n; i++) {
      to0[i] = d0[i] - d1[i];
      to1[i] = 2 * d1[i];
      to3[i] = d1[i] - d2[i];
    }
  }
}
