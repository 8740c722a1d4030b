package dev.ocellus.testkit;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/** Images that the embedded model knows. */
public final class DrawnImages {
  private static final int SIDE = 192;
  private static final int INSET = 38;
  private static final int DIAMETER = 116;

  private DrawnImages() {}

  /** A large red circle on white, as a PNG file. */
  public static byte[] redCircle() {
    var image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, SIDE, SIDE);
    g.setColor(Color.RED);
    g.fillOval(INSET, INSET, DIAMETER, DIAMETER);
    g.dispose();
    var out = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
