package dev.ocellus.vlm.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;

/** BMP, TIFF and WebP by way of the TwelveMonkeys ImageIO readers. */
final class PluginDecoder {
  private PluginDecoder() {}

  static RgbImage bmp(byte[] file, ImageLimits limits) throws IOException {
    return RasterToRgb.convert(read(Plugins.bmp(), file, limits));
  }

  static RgbImage tiff(byte[] file, ImageLimits limits) throws IOException {
    RgbImage image = RasterToRgb.convert(read(Plugins.tiff(), file, limits));
    return Exif.orientation(ByteBuffer.wrap(file), null).apply(image);
  }

  static RgbImage webp(byte[] file, ImageLimits limits) throws IOException {
    RgbImage image = RasterToRgb.convert(read(Plugins.webp(), file, limits));
    return Exif.orientation(riffChunk(file, "EXIF"), riffChunk(file, "XMP ")).apply(image);
  }

  private static BufferedImage read(ImageReader reader, byte[] file, ImageLimits limits)
      throws IOException {
    try {
      reader.setInput(new ArrayImageInputStream(file), false, true);
      limits.checkSize(reader.getWidth(0), reader.getHeight(0));
      return reader.read(0);
    } finally {
      reader.dispose();
    }
  }

  /** The first chunk of this name in a RIFF file, or null. */
  private static @Nullable ByteBuffer riffChunk(byte[] file, String name) {
    ByteBuffer riff = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    long at = 12;
    while (at + 8 <= file.length) {
      long length = riff.getInt((int) at + 4) & 0xFFFFFFFFL;
      boolean found = true;
      for (int i = 0; i < 4; i++) {
        found &= riff.get((int) at + i) == name.charAt(i);
      }
      if (found) {
        return riff.slice((int) at + 8, (int) Math.min(length, file.length - at - 8));
      }
      at += 8 + length + (length & 1);
    }
    return null;
  }
}
