package dev.ocellus.cli.terminal;

import dev.ocellus.OcellusException;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.vlm.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Images as PNG files, each of which is whole or not there. */
public final class PngFiles {
  private PngFiles() {}

  public static void write(Path file, RgbImage image) throws IOException {
    var bytes = new ByteArrayOutputStream();
    if (!ImageIO.write(image.toBufferedImage(), "png", bytes)) {
      throw new OcellusException("This Java cannot write PNG files");
    }
    AtomicFile.write(file, bytes.toByteArray());
  }
}
