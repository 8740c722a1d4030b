package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;

/**
 * A table of positions on a square grid, brought to another one by cubic convolution between the
 * centres of its cells ({@code interpolate(mode="bicubic", align_corners=False)} of PyTorch, in
 * single precision as there).
 */
final class BicubicTable {
  /** PyTorch's parameter of the cubic. */
  private static final float A = -0.75f;

  private static final int TAPS = 4;

  private BicubicTable() {}

  /** The four rows or columns around a place, and what each counts. */
  private record Taps(int[] at, float[] weight) {
    static Taps of(int index, int size, int side) {
      float place = (float) side / size * (index + 0.5f) - 0.5f;
      int floor = (int) Math.floor(place);
      float t = place - floor;
      int[] at = new int[TAPS];
      for (int i = 0; i < TAPS; i++) {
        at[i] = Math.clamp(floor - 1L + i, 0, side - 1);
      }
      return new Taps(at, new float[] {far(t + 1), near(t), near(1 - t), far(2 - t)});
    }

    private static float near(float x) {
      return ((A + 2) * x - (A + 3)) * x * x + 1;
    }

    private static float far(float x) {
      return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
    }
  }

  /**
   * The table for a square of {@code n} places; itself if it has as many.
   *
   * @param table [side², width]
   * @throws ConversionException if either is no square
   */
  static LazyTensor resized(LazyTensor table, long n) {
    if (table.size(0) == n) {
      return table;
    }
    int side = side(table, table.size(0));
    int size = side(table, n);
    int width = Math.toIntExact(table.size(1));
    Taps[] taps = new Taps[size];
    for (int i = 0; i < size; i++) {
      taps[i] = Taps.of(i, size, side);
    }
    float[] in = table.values();
    float[] out = new float[size * size * width];
    for (int y = 0; y < size; y++) {
      for (int x = 0; x < size; x++) {
        mix(in, side, width, taps[y], taps[x], out, (y * size + x) * width);
      }
    }
    return LazyTensor.of(table.name(), out).reshape(n, width);
  }

  private static void mix(
      float[] in, int side, int width, Taps down, Taps across, float[] out, int to) {
    for (int c = 0; c < width; c++) {
      float sum = 0;
      for (int j = 0; j < TAPS; j++) {
        float line = 0;
        for (int i = 0; i < TAPS; i++) {
          line += in[(down.at[j] * side + across.at[i]) * width + c] * across.weight[i];
        }
        sum += line * down.weight[j];
      }
      out[to + c] = sum;
    }
  }

  private static int side(LazyTensor table, long n) {
    int side = (int) Math.sqrt(n);
    if ((long) side * side != n || n < 1) {
      throw new ConversionException(
          "Tensor %s: a table of positions for %d places of a square, which have no whole side. Configuration and tensors are not of one checkpoint."
              .formatted(table, n));
    }
    return side;
  }
}
