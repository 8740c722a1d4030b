package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RasterToRgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import javax.imageio.ImageReader;

/** TIFF by way of the TwelveMonkeys ImageIO reader. */
final class PluginDecoder {
  private PluginDecoder() {}

  /** The first image of a file, as it is stored and not turned upright. */
  static RgbImage tiff(byte[] file, ImageLimits limits) throws IOException {
    ImageReader reader = Plugins.tiff();
    try {
      reader.setInput(new ArrayImageInputStream(file), false, true);
      limits.checkSize(reader.getWidth(0), reader.getHeight(0));
      return RasterToRgb.convert(reader.read(0));
    } finally {
      reader.dispose();
    }
  }
}
