package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RasterToRgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import javax.imageio.ImageReader;

/** TIFF by way of the TwelveMonkeys ImageIO reader. */
final class PluginDecoder {
  private PluginDecoder() {}

  /**
   * An image of a file, as it is stored and not turned upright.
   *
   * @param number from 0
   */
  static RgbImage tiff(byte[] file, int number, ImageLimits limits) throws IOException {
    ImageReader reader = Plugins.tiff();
    try {
      reader.setInput(new ArrayImageInputStream(file), false, true);
      limits.checkSize(reader.getWidth(number), reader.getHeight(number));
      return RasterToRgb.convert(reader.read(number));
    } finally {
      reader.dispose();
    }
  }
}
