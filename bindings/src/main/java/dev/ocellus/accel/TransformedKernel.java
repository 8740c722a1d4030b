package dev.ocellus.accel;

/**
 * Kernels of 3 by 3 as Winograd's F(2×2, 3×3) multiplies them: {@code G g Gᵀ}, of which some parts
 * may not be needed.
 */
final class TransformedKernel {
  /** All sixteen, row by row. */
  static final int[] ALL = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  /** Those of a map whose pixels come two by two. */
  static final int[] DOUBLED = {0, 1, 3, 4, 5, 7, 12, 13, 15};

  private static final int TAPS = 9;

  private TransformedKernel() {}

  /**
   * Transforms the kernels of one channel of the result.
   *
   * @param kernels 3 by 3 numbers for each channel of the source
   * @param parts sixteen arrays of a number for each of these channels
   */
  static void transform(float[] kernels, float[][] parts, int channels) {
    float[] rows = new float[12];
    for (int i = 0; i < channels; i++) {
      for (int column = 0; column < 3; column++) {
        int at = TAPS * i + column;
        float first = kernels[at];
        float mid = kernels[at + 3];
        float last = kernels[at + 6];
        rows[column] = first;
        rows[3 + column] = 0.5f * (first + last + mid);
        rows[6 + column] = 0.5f * (first + last - mid);
        rows[9 + column] = last;
      }
      for (int row = 0; row < 4; row++) {
        float first = rows[3 * row];
        float mid = rows[3 * row + 1];
        float last = rows[3 * row + 2];
        parts[4 * row][i] = first;
        parts[4 * row + 1][i] = 0.5f * (first + last + mid);
        parts[4 * row + 2][i] = 0.5f * (first + last - mid);
        parts[4 * row + 3][i] = last;
      }
    }
  }

  /**
   * Transforms the kernels of some channels of the result.
   *
   * @param kernel address of the first of them
   * @param target address of matrices [part, {@code outputs}, {@code inputs}]
   * @param first of the channels
   * @param count how many
   */
  static void transform(
      long kernel, long target, int[] parts, int first, int count, int outputs, int inputs) {
    float[] kernels = new float[TAPS * inputs];
    float[][] transformed = new float[ALL.length][inputs];
    for (int output = first; output < first + count; output++) {
      NativeFloats.read(kernel + 4L * output * kernels.length, kernels, 0, kernels.length);
      transform(kernels, transformed, inputs);
      for (int i = 0; i < parts.length; i++) {
        long row = ((long) i * outputs + output) * inputs;
        NativeFloats.write(transformed[parts[i]], 0, target + 4 * row, inputs);
      }
    }
  }
}
