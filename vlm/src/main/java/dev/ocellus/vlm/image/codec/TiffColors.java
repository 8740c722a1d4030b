package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RasterToRgb;

/**
 * Samples of a TIFF file to RGB by the rules of Pillow: gray of up to 8 bits is stretched and of
 * more clipped, colours of 16 bits are cut to their upper byte, alpha is dropped, and colours that
 * were multiplied by it are divided again.
 */
final class TiffColors {
  private static final int WHITE_IS_ZERO = 0;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int CMYK = 5;
  private static final int LAB = 8;

  private final TiffLayout layout;
  private final byte[] palette;

  TiffColors(TiffLayout layout, TiffDirectory tags) {
    this.layout = layout;
    this.palette = layout.photometric() == PALETTE ? palette(tags) : new byte[0];
  }

  /** All red values, then all green, then all blue, each of 16 bits. */
  private byte[] palette(TiffDirectory tags) {
    long[] map = tags.integers(TiffDirectory.COLOR_MAP);
    if (map.length < 3) {
      throw ImageFormatException.corrupt("the TIFF file has a palette image but no palette");
    }
    // Colours that the palette does not define stay black.
    byte[] colors = new byte[256 * 3];
    int count = Math.min(map.length / 3, 256);
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < 3; c++) {
        colors[i * 3 + c] = (byte) (map[c * (map.length / 3) + i] >> 8);
      }
    }
    return colors;
  }

  /** How many samples of a pixel, from the first on, decide its colour. */
  int samplesUsed() {
    return switch (layout.photometric()) {
      case RGB -> layout.associatedAlpha() ? Math.min(4, layout.samples()) : 3;
      case CMYK -> 4;
      case 6, LAB -> Math.min(3, layout.samples());
      default -> 1;
    };
  }

  /** Converts {@code width} pixels and writes their bytes from {@code at} on. */
  void convert(int[] row, byte[] out, int at, int width) {
    for (int x = 0, from = 0, to = at; x < width; x++, from += layout.samples(), to += 3) {
      switch (layout.photometric()) {
        case PALETTE -> writePalette(row[from], out, to);
        case CMYK -> writeCmyk(row, from, out, to);
        case LAB -> CieLab.toRgb(row[from], row[from + 1], row[from + 2], out, to);
        case RGB -> writeRgb(row, from, out, to);
        default -> {
          if (samplesUsed() == 3) {
            writeRgb(row, from, out, to);
          } else {
            writeGray(row[from], out, to);
          }
        }
      }
    }
  }

  private void writePalette(int index, byte[] out, int to) {
    System.arraycopy(palette, index * 3, out, to, 3);
  }

  private void writeRgb(int[] row, int from, byte[] out, int to) {
    boolean divide = layout.associatedAlpha() && layout.samples() >= 4;
    int alpha = divide ? toByte(row[from + 3]) : 255;
    for (int c = 0; c < 3; c++) {
      int value = toByte(row[from + c]);
      if (alpha == 0) {
        value = 0;
      } else if (alpha < 255) {
        value = Math.min(255, value * 255 / alpha);
      }
      out[to + c] = (byte) value;
    }
  }

  private void writeCmyk(int[] row, int from, byte[] out, int to) {
    int light = 255 - toByte(row[from + 3]);
    for (int c = 0; c < 3; c++) {
      out[to + c] = RasterToRgb.withoutInk(light, toByte(row[from + c]));
    }
  }

  private void writeGray(int sample, byte[] out, int to) {
    int value;
    if (layout.format() == TiffLayout.Format.FLOAT) {
      value = (int) Math.clamp((long) Float.intBitsToFloat(sample), 0L, 255L);
    } else if (layout.bits() > 8) {
      value = Math.clamp(sample, 0, 255);
    } else {
      value = sample * 255 / ((1 << layout.bits()) - 1);
      value = layout.photometric() == WHITE_IS_ZERO ? 255 - value : value;
    }
    out[to] = (byte) value;
    out[to + 1] = (byte) value;
    out[to + 2] = (byte) value;
  }

  private int toByte(int sample) {
    int bits = layout.bits();
    if (bits == 8) {
      return sample;
    }
    return bits > 8 ? sample >>> (bits - 8) & 0xFF : sample * 255 / ((1 << bits) - 1);
  }
}
