package dev.ocellus.tests.soak;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/** Images of any size, none of them twice, decoded from files of several formats. */
final class SoakImages {
  private static final List<String> FORMATS = List.of("png", "jpg", "bmp", "gif");
  private static final int MIN_SIDE = 8;
  private static final int MAX_SIDE = 320;

  private final SplittableRandom random;

  SoakImages(SplittableRandom random) {
    this.random = random;
  }

  /** The next image. */
  RgbImage next() throws IOException {
    BufferedImage drawn = draw();
    String format = FORMATS.get(random.nextInt(FORMATS.size()));
    var file = new ByteArrayOutputStream();
    if (!ImageIO.write(drawn, format, file)) {
      throw new IllegalStateException("this Java cannot write " + format);
    }
    return ImageDecoder.decode(file.toByteArray(), ImageLimits.DEFAULT);
  }

  private BufferedImage draw() {
    int width = random.nextInt(MIN_SIDE, MAX_SIDE);
    int height = random.nextInt(MIN_SIDE, MAX_SIDE);
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(color());
    graphics.fillRect(0, 0, width, height);
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      graphics.setColor(color());
      graphics.fillOval(
          random.nextInt(width), random.nextInt(height), 1 + width / 2, 1 + height / 2);
    }
    graphics.dispose();
    return image;
  }

  private Color color() {
    return new Color(random.nextInt(1 << 24));
  }
}
