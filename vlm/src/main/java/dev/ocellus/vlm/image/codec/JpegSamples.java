package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Samples;

/**
 * The components of a JPEG image as they are stored, at full resolution.
 *
 * @param count of components
 * @param data {@code width * height * count} bytes, interleaved
 */
record JpegSamples(ImageSize size, int count, byte[] data) {
  /** One half, and the equations of JFIF, in 16-bit fixed point. */
  static final int HALF = 1 << 15;

  static final int RED = fixed(1.40200);
  static final int BLUE = fixed(1.77200);
  static final int GREEN_RED = fixed(0.71414);
  static final int GREEN_BLUE = fixed(0.34414);

  /**
   * Converts the first three samples of every pixel from luma and chroma to red, green and blue, in
   * place, as <a
   * href="https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.1.0/src/jdcolor.c">jdcolor.c</a>
   * does.
   */
  byte[] yccToRgb() {
    int[] crToRed = new int[256];
    int[] cbToBlue = new int[256];
    int[] crToGreen = new int[256];
    int[] cbToGreen = new int[256];
    for (int i = 0; i < 256; i++) {
      int chroma = i - 128;
      crToRed[i] = (RED * chroma + HALF) >> 16;
      cbToBlue[i] = (BLUE * chroma + HALF) >> 16;
      crToGreen[i] = -GREEN_RED * chroma;
      cbToGreen[i] = -GREEN_BLUE * chroma + HALF;
    }
    for (int at = 0; at < data.length; at += count) {
      int y = data[at] & 0xFF;
      int cb = data[at + 1] & 0xFF;
      int cr = data[at + 2] & 0xFF;
      data[at] = Samples.clip(y + crToRed[cr]);
      data[at + 1] = Samples.clip(y + ((cbToGreen[cb] + crToGreen[cr]) >> 16));
      data[at + 2] = Samples.clip(y + cbToBlue[cb]);
    }
    return data;
  }

  private static int fixed(double value) {
    return (int) (value * (1 << 16) + 0.5);
  }
}
