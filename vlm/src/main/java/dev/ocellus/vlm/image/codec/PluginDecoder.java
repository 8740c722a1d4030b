package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RasterToRgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.imageio.ImageReader;

/** BMP and TIFF by way of the TwelveMonkeys ImageIO readers. */
final class PluginDecoder {
  private PluginDecoder() {}

  static RgbImage bmp(byte[] file, ImageLimits limits) throws IOException {
    ImageReader reader = Plugins.bmp();
    try {
      open(reader, file, limits);
      return RasterToRgb.convert(reader.read(0));
    } finally {
      reader.dispose();
    }
  }

  static RgbImage tiff(byte[] file, ImageLimits limits) throws IOException {
    ByteBuffer tags = ByteBuffer.wrap(file);
    ImageReader reader = Plugins.tiff();
    try {
      open(reader, file, limits);
      RgbImage image =
          isWideGray(tags)
              ? RasterToRgb.gray(reader.readRaster(0, null))
              : RasterToRgb.convert(reader.read(0));
      return Exif.orientation(tags, null).apply(image);
    } finally {
      reader.dispose();
    }
  }

  /**
   * Whether samples are gray of 16 bits or more or floats. Pillow takes their values as they are,
   * clipped to bytes and not inverted, whereas the reader scales floats.
   */
  private static boolean isWideGray(ByteBuffer tags) {
    int photometric = Exif.tag(tags, Exif.PHOTOMETRIC, -1);
    return (photometric == 0 || photometric == 1)
        && Exif.tag(tags, Exif.SAMPLES_PER_PIXEL, 1) == 1
        && Exif.tag(tags, Exif.BITS_PER_SAMPLE, 1) >= 16;
  }

  private static void open(ImageReader reader, byte[] file, ImageLimits limits) throws IOException {
    reader.setInput(new ArrayImageInputStream(file), false, true);
    limits.checkSize(reader.getWidth(0), reader.getHeight(0));
  }
}
