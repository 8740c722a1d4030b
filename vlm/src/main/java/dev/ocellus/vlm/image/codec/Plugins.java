package dev.ocellus.vlm.image.codec;

import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/**
 * The ImageIO readers that are used, by name of their class: what else is on the class path, and
 * which class loader a thread has, must not decide how an image looks.
 */
final class Plugins {
  private static final String JAVA_JPEG = "com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi";

  private Plugins() {}

  static ImageReader tiff() throws IOException {
    return new TIFFImageReaderSpi().createReaderInstance(null);
  }

  static ImageReader javaJpeg() throws IOException {
    return JavaJpeg.SPI.createReaderInstance();
  }

  /** The registry is large; it is only asked when a JPEG file comes. */
  private static final class JavaJpeg {
    static final ImageReaderSpi SPI = find();

    private static ImageReaderSpi find() {
      var readers =
          IIORegistry.getDefaultInstance()
              .getServiceProviders(
                  ImageReaderSpi.class,
                  provider -> provider.getClass().getName().equals(JAVA_JPEG),
                  false);
      if (!readers.hasNext()) {
        throw new IllegalStateException(
            "this Java runtime has no JPEG reader; use one with the full java.desktop module");
      }
      return readers.next();
    }
  }
}
