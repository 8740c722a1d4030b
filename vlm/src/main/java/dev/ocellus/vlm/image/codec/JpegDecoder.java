package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RasterToRgb;
import dev.ocellus.vlm.image.RgbImage;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.IOException;
import javax.imageio.ImageReader;

/**
 * JPEG to RGB with the pixels of Pillow, that is of libjpeg-turbo with its defaults.
 *
 * <p>{@link JpegSequential} decodes the usual file. For what it leaves there is Java's decoder,
 * which is libjpeg 6b, whose inverse transform and smooth horizontal upsampling are bit for bit the
 * same. It is asked for the components as they are stored; conversion to RGB takes place here with
 * libjpeg's integer arithmetic (JFIF's equations in 16-bit fixed point), and so does the smooth
 * vertical upsampling that libjpeg-turbo adds. Profiles play no part.
 */
final class JpegDecoder {
  /** Scans times pixels: some ten times what a large progressive photo needs. */
  private static final long MAX_WORK = 4_000_000_000L;

  private JpegDecoder() {}

  static RgbImage decode(byte[] file, ImageLimits limits) throws IOException {
    JpegHeader header = new JpegHeader(file, limits);
    RgbImage image = RgbImage.wrap(header.size().width(), header.size().height(), pixels(header));
    return header.orientation().apply(image);
  }

  private static byte[] pixels(JpegHeader header) throws IOException {
    JpegPixels pixels = JpegSequential.decode(header.withoutMetadata());
    if (pixels != null && header.components().length == 3 && header.isYcc()) {
      return pixels.yccToRgb();
    }
    JpegSamples samples = pixels != null ? samples(pixels) : samples(header);
    return switch (samples.count()) {
      case 1 -> replicate(samples.data());
      case 3 -> header.isYcc() ? samples.yccToRgb() : samples.data();
      default -> cmykToRgb(header.isYcc() ? samples.yccToRgb() : samples.data(), header.isYcc());
    };
  }

  private static JpegSamples samples(JpegPixels pixels) {
    return new JpegSamples(pixels.size(), pixels.planes().length, pixels.interleaved());
  }

  /** The components of a JPEG image that stands in a file of another format. */
  static JpegSamples samples(byte[] stream, ImageLimits limits) throws IOException {
    return samples(new JpegHeader(stream, limits));
  }

  private static JpegSamples samples(JpegHeader header) throws IOException {
    if (header.scans() * header.size().pixels() > MAX_WORK) {
      throw ImageFormatException.corrupt(
          "the JPEG file has %d scans of %s pixels, more than any real one"
              .formatted(header.scans(), header.size()));
    }
    byte[] data = stored(header);
    int count = header.components().length;
    if (count > 1) {
      smoothRows(data, header);
    }
    return new JpegSamples(header.size(), count, data);
  }

  /** The stored components at full resolution, interleaved. */
  private static byte[] stored(JpegHeader header) throws IOException {
    ImageReader reader = Plugins.javaJpeg();
    try {
      reader.setInput(new ArrayImageInputStream(header.withoutMetadata()), true, true);
      Raster raster = reader.readRaster(0, null);
      int bands = header.components().length;
      boolean expected =
          raster.getWidth() == header.size().width()
              && raster.getHeight() == header.size().height()
              && raster.getNumBands() == bands;
      if (!expected) {
        throw ImageFormatException.corrupt("the JPEG file contradicts its own header");
      }
      byte[] data = ((DataBufferByte) raster.getDataBuffer()).getData();
      if (data.length != (long) raster.getWidth() * raster.getHeight() * bands) {
        throw new IllegalStateException("Java's JPEG reader has changed its raster layout");
      }
      return data;
    } finally {
      reader.dispose();
    }
  }

  /**
   * Where a component has every column but only every other row, libjpeg 6b repeats rows, and
   * libjpeg-turbo makes each 3/4 of its own and 1/4 of the nearer neighbour row. (<a
   * href="https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.1.0/src/jdsample.c">jdsample.c</a>,
   * h1v2_fancy_upsample.) Repeated rows can be told back from the raster, as nothing is lost.
   */
  private static void smoothRows(byte[] samples, JpegHeader header) {
    int maxHorizontal = 0;
    int maxVertical = 0;
    for (JpegHeader.Component component : header.components()) {
      maxHorizontal = Math.max(maxHorizontal, component.horizontal());
      maxVertical = Math.max(maxVertical, component.vertical());
    }
    for (int c = 0; c < header.components().length; c++) {
      JpegHeader.Component component = header.components()[c];
      if (component.horizontal() == maxHorizontal && component.vertical() * 2 == maxVertical) {
        smoothRows(samples, header.size(), c, header.components().length);
      }
    }
  }

  private static void smoothRows(byte[] samples, ImageSize size, int band, int bands) {
    int stored = (size.height() + 1) / 2;
    int[] above = storedRow(samples, size, 0, band, bands);
    int[] row = above;
    for (int i = 0; i < stored; i++) {
      int[] below = i + 1 < stored ? storedRow(samples, size, i + 1, band, bands) : row;
      for (int x = 0; x < size.width(); x++) {
        int at = (2 * i * size.width() + x) * bands + band;
        samples[at] = (byte) ((row[x] * 3 + above[x] + 1) >> 2);
        if (2 * i + 1 < size.height()) {
          samples[at + size.width() * bands] = (byte) ((row[x] * 3 + below[x] + 2) >> 2);
        }
      }
      above = row;
      row = below;
    }
  }

  private static int[] storedRow(byte[] samples, ImageSize size, int i, int band, int bands) {
    int[] row = new int[size.width()];
    for (int x = 0; x < row.length; x++) {
      row[x] = samples[(2 * i * size.width() + x) * bands + band] & 0xFF;
    }
    return row;
  }

  private static byte[] replicate(byte[] gray) {
    byte[] rgb = new byte[Math.multiplyExact(gray.length, 3)];
    for (int i = 0, to = 0; i < gray.length; i++, to += 3) {
      rgb[to] = gray[i];
      rgb[to + 1] = gray[i];
      rgb[to + 2] = gray[i];
    }
    return rgb;
  }

  /**
   * CMYK as Adobe's programs store it, 255 being no ink: Pillow takes every CMYK JPEG for such.
   *
   * @param rgbThenBlack whether the first three samples came out of {@link JpegSamples#yccToRgb}
   *     and have yet to be complemented to cyan, magenta and yellow
   */
  private static byte[] cmykToRgb(byte[] samples, boolean rgbThenBlack) {
    int complement = rgbThenBlack ? 0 : 255;
    byte[] rgb = new byte[samples.length / 4 * 3];
    for (int at = 0, to = 0; at < samples.length; at += 4, to += 3) {
      int light = samples[at + 3] & 0xFF;
      for (int c = 0; c < 3; c++) {
        int ink = (samples[at + c] & 0xFF) ^ complement;
        rgb[to + c] = RasterToRgb.withoutInk(light, ink);
      }
    }
    return rgb;
  }
}
