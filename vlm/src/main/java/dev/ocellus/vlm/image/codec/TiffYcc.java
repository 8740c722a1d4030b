package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.Samples;

/**
 * Luma and chroma of TIFF files without JPEG compression: cells of some pixels that share their
 * chroma. Converted with the fixed-point arithmetic of libtiff, which Pillow leaves it to, and
 * without smoothing.
 */
final class TiffYcc {
  private static final double[] CCIR_601 = {0.299, 0.587, 0.114};
  private static final double[] FULL_RANGE = {0, 255, 128, 255, 128, 255};
  private static final int HALF = 1 << 15;

  private final TiffLayout layout;
  private final int across;
  private final int down;
  private final int[] luma = new int[256];
  private final int[] crToRed = new int[256];
  private final int[] cbToBlue = new int[256];
  private final int[] crToGreen = new int[256];
  private final int[] cbToGreen = new int[256];

  TiffYcc(TiffLayout layout, TiffDirectory tags) {
    this.layout = layout;
    long[] factors = tags.integers(TiffDirectory.YCBCR_SUBSAMPLING);
    across = factors.length < 2 ? 2 : (int) Math.clamp(factors[0], 0, 5);
    down = factors.length < 2 ? 2 : (int) Math.clamp(factors[1], 0, 5);
    double[] weights = tags.numbers(TiffDirectory.YCBCR_COEFFICIENTS);
    double[] range = tags.numbers(TiffDirectory.REFERENCE_BLACK_WHITE);
    makeTables(weights.length == 3 ? weights : CCIR_601, range.length == 6 ? range : FULL_RANGE);
  }

  private void makeTables(double[] weights, double[] range) {
    double red = 2 - 2 * weights[0];
    double blue = 2 - 2 * weights[2];
    int redFactor = fixed(red);
    int blueFactor = fixed(blue);
    int crFactor = fixed(weights[0] * red / weights[1]);
    int cbFactor = fixed(weights[2] * blue / weights[1]);
    for (int i = 0; i < 256; i++) {
      int cb = (int) scaled(i, range[2], range[3], 127);
      int cr = (int) scaled(i, range[4], range[5], 127);
      luma[i] = (int) scaled(i, range[0], range[1], 255);
      crToRed[i] = (redFactor * cr + HALF) >> 16;
      cbToBlue[i] = (blueFactor * cb + HALF) >> 16;
      crToGreen[i] = -crFactor * cr;
      cbToGreen[i] = -cbFactor * cb + HALF;
    }
  }

  /** A factor of 0 to 2 with 16 binary places. */
  private static int fixed(double factor) {
    return (int) (Math.clamp(factor, 0.0, 2.0) * (1 << 16) + 0.5);
  }

  /**
   * Brings black to 0 and white to {@code max}; far off values are cut so that nothing overflows.
   */
  private static double scaled(int code, double black, double white, int max) {
    double value = (code - black) * max / (white == black ? 1 : white - black);
    return Double.isNaN(value) ? 0 : Math.clamp(value, -128.0 * 32, 128.0 * 32);
  }

  /** Bytes of a block with {@code rows} rows: per cell its lumas, two chromas, and what follows. */
  int blockBytes(int rows) {
    boolean known =
        (across == 1 || across == 2 || across == 4) && (down == 1 || down == 2 || down == 4);
    if (!known || layout.planar() || layout.samples() != 3) {
      throw ImageFormatException.unsupported(
          "the TIFF file has luma and chroma in %d samples, %d times %d pixels sharing chroma%s, which is not read; save it as PNG"
              .formatted(layout.samples(), across, down, layout.planar() ? ", in planes" : ""));
    }
    return Math.multiplyExact(
        Math.multiplyExact(cellsAcross(), Math.ceilDiv(rows, down)), cellBytes());
  }

  private int cellsAcross() {
    return Math.ceilDiv(layout.block().width(), across);
  }

  private int cellBytes() {
    return across * down + 2;
  }

  /**
   * Converts {@code width} pixels of row {@code y} of a block and writes them from {@code to} on.
   */
  void convert(byte[] block, int y, byte[] out, int to, int width) {
    int cells = y / down * cellsAcross() * cellBytes();
    for (int x = 0; x < width; x++) {
      int cell = cells + x / across * cellBytes();
      int light = luma[block[cell + y % down * across + x % across] & 0xFF];
      int cb = block[cell + across * down] & 0xFF;
      int cr = block[cell + across * down + 1] & 0xFF;
      out[to + x * 3] = Samples.clip(light + crToRed[cr]);
      out[to + x * 3 + 1] = Samples.clip(light + ((cbToGreen[cb] + crToGreen[cr]) >> 16));
      out[to + x * 3 + 2] = Samples.clip(light + cbToBlue[cb]);
    }
  }
}
