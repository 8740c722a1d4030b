package dev.ocellus.vlm.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/**
 * Samples of a {@link Raster} to 8-bit RGB by the rules of Pillow's {@code convert("RGB")}. Samples
 * are read as they are stored: {@code BufferedImage.getRGB} would run gray through Java's linear
 * gray colour space and make it lighter.
 *
 * <p>Source: <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/libImaging/Convert.c">
 * Pillow 12.3, Convert.c</a>.
 */
public final class RasterToRgb {
  private RasterToRgb() {}

  /** The pixels of an image; see {@link RgbImage#fromBufferedImage}. */
  public static RgbImage convert(BufferedImage image) {
    ColorModel model = image.getColorModel();
    Raster raster = image.getRaster();
    if (model instanceof IndexColorModel palette) {
      return indexed(raster, palette);
    }
    int colors = model.getNumColorComponents();
    if (model.isAlphaPremultiplied() && model.hasAlpha()) {
      BufferedImage copy =
          new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_ARGB);
      copy.createGraphics().drawImage(image, 0, 0, null);
      return convert(copy);
    }
    return switch (colors) {
      case 1 -> gray(raster);
      case 3 -> color(raster);
      case 4 -> cmyk(raster);
      default ->
          throw new IllegalArgumentException(
              "an image of " + colors + " colour channels has no conversion to RGB");
    };
  }

  private static RgbImage indexed(Raster raster, IndexColorModel palette) {
    int[] colors = new int[palette.getMapSize()];
    palette.getRGBs(colors);
    return rows(
        raster,
        (samples, out, at, width) -> {
          for (int x = 0; x < width; x++) {
            // Beyond the palette's end Pillow's palette is black.
            int index = samples[x * (samples.length / width)];
            int color = index < colors.length ? colors[index] : 0;
            out[at + x * 3] = (byte) (color >> 16);
            out[at + x * 3 + 1] = (byte) (color >> 8);
            out[at + x * 3 + 2] = (byte) color;
          }
        });
  }

  /** Gray, with whatever other bands follow: fewer than 8 bits are stretched, more are clipped. */
  public static RgbImage gray(Raster raster) {
    if (isFloat(raster)) {
      return floatGray(raster);
    }
    int bits = raster.getSampleModel().getSampleSize(0);
    int max = (1 << Math.min(bits, 8)) - 1;
    int bands = raster.getNumBands();
    return rows(
        raster,
        (samples, out, at, width) -> {
          for (int x = 0; x < width; x++) {
            int value = samples[x * bands];
            value = bits < 8 ? value * 255 / max : Math.clamp(value, 0, 255);
            out[at + x * 3] = (byte) value;
            out[at + x * 3 + 1] = (byte) value;
            out[at + x * 3 + 2] = (byte) value;
          }
        });
  }

  private static RgbImage floatGray(Raster raster) {
    int width = raster.getWidth();
    byte[] out = new byte[RgbImage.byteCount(width, raster.getHeight())];
    float[] row = new float[width];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
      for (int x = 0; x < width; x++) {
        int at = (y * width + x) * 3;
        byte value = (byte) Math.clamp((long) row[x], 0, 255);
        out[at] = value;
        out[at + 1] = value;
        out[at + 2] = value;
      }
    }
    return RgbImage.wrap(width, raster.getHeight(), out);
  }

  /** Red, green, blue, then anything: of 16 bits the upper 8 count, fewer than 8 are stretched. */
  public static RgbImage color(Raster raster) {
    int bands = raster.getNumBands();
    int[] bits = raster.getSampleModel().getSampleSize();
    return rows(
        raster,
        (samples, out, at, width) -> {
          for (int x = 0; x < width; x++) {
            for (int c = 0; c < 3; c++) {
              out[at + x * 3 + c] = (byte) toByte(samples[x * bands + c], bits[c]);
            }
          }
        });
  }

  private static int toByte(int value, int bits) {
    if (bits == 8) {
      return value;
    }
    return bits > 8 ? value >>> (bits - 8) : value * 255 / ((1 << bits) - 1);
  }

  /** Cyan, magenta, yellow, black; 0 is no ink. */
  public static RgbImage cmyk(Raster raster) {
    int bands = raster.getNumBands();
    int[] bits = raster.getSampleModel().getSampleSize();
    return rows(
        raster,
        (samples, out, at, width) -> {
          for (int x = 0; x < width; x++) {
            int from = x * bands;
            int light = 255 - toByte(samples[from + 3], bits[3]);
            for (int c = 0; c < 3; c++) {
              int ink = toByte(samples[from + c], bits[c]);
              out[at + x * 3 + c] = withoutInk(light, ink);
            }
          }
        });
  }

  /**
   * What an ink leaves of the light that black leaves (all 0 to 255): {@code light - ink * light /
   * 255} with Pillow's rounding.
   */
  public static byte withoutInk(int light, int ink) {
    int product = ink * light + 128;
    return (byte) Math.max(0, light - (((product >> 8) + product) >> 8));
  }

  private static boolean isFloat(Raster raster) {
    int type = raster.getTransferType();
    return type == DataBuffer.TYPE_FLOAT || type == DataBuffer.TYPE_DOUBLE;
  }

  /** Converts one row of interleaved samples to RGB bytes from {@code at} on. */
  private interface RowConverter {
    void convert(int[] samples, byte[] out, int at, int width);
  }

  private static RgbImage rows(Raster raster, RowConverter converter) {
    int width = raster.getWidth();
    int height = raster.getHeight();
    byte[] out = new byte[RgbImage.byteCount(width, height)];
    int[] samples = new int[Math.multiplyExact(width, raster.getNumBands())];
    for (int y = 0; y < height; y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, samples);
      converter.convert(samples, out, y * width * 3, width);
    }
    return RgbImage.wrap(width, height, out);
  }
}
