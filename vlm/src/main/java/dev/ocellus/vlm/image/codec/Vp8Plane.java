package dev.ocellus.vlm.image.codec;

import java.util.Arrays;

/**
 * One plane of a VP8 frame in whole macroblocks, with the border that prediction reads: a row of
 * 127 above, a column of 129 on the left, and room on the right.
 */
final class Vp8Plane {
  private static final byte ABOVE = 127;
  private static final byte LEFT = (byte) 129;

  /** Samples to the right of the row above that 4x4 prediction reads. */
  private static final int RIGHT_MARGIN = 4;

  final byte[] data;
  final int stride;

  /** Position of sample (0, 0). */
  final int origin;

  Vp8Plane(int width, int height) {
    stride = 1 + width + RIGHT_MARGIN;
    origin = stride + 1;
    data = new byte[Math.multiplyExact(stride, height + 1)];
    Arrays.fill(data, 0, stride, ABOVE);
    for (int y = 0; y < height; y++) {
      data[origin + y * stride - 1] = LEFT;
    }
  }

  int at(int x, int y) {
    return origin + y * stride + x;
  }
}
