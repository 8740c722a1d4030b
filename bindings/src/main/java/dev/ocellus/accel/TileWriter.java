package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;
import java.util.Arrays;

/** Brings products of transformed numbers back to pixels: {@code Aᵀ M A}. */
final class TileWriter {
  private final Convolution c;
  private final Tiles tiles;
  private final float[][] products = new float[16][];
  private final float[][] sums = new float[8][];
  private final float[][] pixels = new float[4][];
  private final float[] row;
  private final float[] added;

  /**
   * @param parts which of the sixteen products there are; the others are zero
   * @param n most numbers of a product
   * @param maxColumns most tiles of a row
   */
  TileWriter(Convolution c, Tiles tiles, int[] parts, int n, int maxColumns) {
    this.c = c;
    this.tiles = tiles;
    float[] zero = new float[n];
    Arrays.fill(products, zero);
    for (int part : parts) {
      products[part] = new float[n];
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] = new float[n];
    }
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = new float[n];
    }
    row = new float[2 * maxColumns];
    added = new float[row.length];
  }

  /** The array for a product, to be filled before {@link #write}. */
  float[] product(int part) {
    return products[part];
  }

  /**
   * Writes the pixels of one channel of the result.
   *
   * @param shift bytes that the result lies behind where the convolution says
   */
  void write(int channel, long shift) {
    int n = tiles.count();
    for (int i = 0; i < 4; i++) {
      transform(
          products[i], products[4 + i], products[8 + i], products[12 + i], sums[i], sums[4 + i], n);
    }
    transform(sums[0], sums[1], sums[2], sums[3], pixels[0], pixels[1], n);
    transform(sums[4], sums[5], sums[6], sums[7], pixels[2], pixels[3], n);
    float bias = c.bias() == 0 ? 0 : NativeFloats.get(c.bias() + 4L * channel);
    for (int i = 0; i < tiles.rows; i++) {
      int y = 2 * (tiles.firstRow + i);
      long plane = shift + 4 * channel * c.plane();
      join(pixels[0], pixels[1], i * tiles.step, bias);
      writeRow(plane, y);
      join(pixels[2], pixels[3], i * tiles.step, bias);
      writeRow(plane, y + 1);
    }
  }

  private static void transform(
      float[] m0, float[] m1, float[] m2, float[] m3, float[] sum, float[] difference, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = m0[i] + m1[i] + m2[i];
      difference[i] = m1[i] - m2[i] - m3[i];
    }
  }

  /**
   * @param plane bytes from the result's first number to the channel's
   */
  private void writeRow(long plane, int y) {
    Size size = c.to();
    if (y >= size.height()) {
      return;
    }
    int x = 2 * tiles.firstColumn;
    int count = Math.min(2 * tiles.columns, size.width() - x);
    long place = plane + 4 * ((long) y * size.width() + x);
    if (c.added() != 0) {
      NativeFloats.read(c.added() + place, added, 0, count);
      Sums.add(row, added, count);
    }
    NativeFloats.write(row, 0, c.target() + place, count);
  }

  private void join(float[] even, float[] odd, int at, float bias) {
    for (int i = 0; i < tiles.columns; i++) {
      row[2 * i] = even[at + i] + bias;
      row[2 * i + 1] = odd[at + i] + bias;
    }
  }
}
