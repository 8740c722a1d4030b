package dev.ocellus.spark;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** Generated images of shapes, one in five of them broken in one of four ways. */
final class Pictures {
  private static final Color[] COLORS = {
    Color.RED, Color.BLUE, new Color(0, 160, 0), Color.YELLOW, Color.BLACK
  };
  private static final Color[] BACKGROUNDS = {
    Color.WHITE, Color.LIGHT_GRAY, new Color(220, 235, 255)
  };
  private static final int SIDE = 96;

  private Pictures() {}

  /** What is wrong with an image; null for nothing. */
  static @Nullable String error(int index) {
    return switch (index % 20) {
      case 3 -> "corrupt";
      case 8 -> "too_large";
      case 13 -> "not_an_image"; // empty
      case 18 -> "not_an_image"; // text
      default -> null;
    };
  }

  /** Writes some images into a folder; their names tell their numbers. */
  static List<Path> write(Path folder, int count) throws IOException {
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      files.add(Files.write(folder.resolve("%05d.png".formatted(i)), file(i)));
    }
    return files;
  }

  static byte[] file(int index) throws IOException {
    byte[] good = png(draw(index));
    return switch (index % 20) {
      case 3 -> corrupt(good);
      case 8 -> huge();
      case 13 -> new byte[0];
      case 18 -> ("no image number " + index).getBytes(StandardCharsets.UTF_8);
      default -> good;
    };
  }

  private static BufferedImage draw(int index) {
    int side = SIDE + index / 60 % 5 * 16;
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(BACKGROUNDS[index / 15 % BACKGROUNDS.length]);
    g.fillRect(0, 0, side, side);
    g.setColor(COLORS[index % COLORS.length]);
    int at = side / 8 + index / 300 * 3 % (side / 4);
    int size = side / 2;
    switch (index / 5 % 3) {
      case 0 -> g.fillOval(at, at, size, size);
      case 1 -> g.fillRect(at, at, size, size);
      default ->
          g.fillPolygon(
              new int[] {at, at + size, at + size / 2}, new int[] {at + size, at + size, at}, 3);
    }
    g.dispose();
    return image;
  }

  private static byte[] png(BufferedImage image) throws IOException {
    var out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
  }

  /** Compressed data that begins as none does. */
  private static byte[] corrupt(byte[] file) {
    byte[] broken = file.clone();
    int data = new String(file, StandardCharsets.ISO_8859_1).indexOf("IDAT") + 4;
    broken[data] ^= 0x55;
    return broken;
  }

  /** A header that asks for 60,000 x 60,000 pixels. */
  private static byte[] huge() throws IOException {
    var header = new ByteArrayOutputStream();
    var fields = new DataOutputStream(header);
    fields.writeBytes("IHDR");
    fields.writeInt(60_000);
    fields.writeInt(60_000);
    fields.write(new byte[] {8, 2, 0, 0, 0});
    var file = new ByteArrayOutputStream();
    file.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
    var chunk = new DataOutputStream(file);
    chunk.writeInt(header.size() - 4);
    chunk.write(header.toByteArray());
    var crc = new CRC32();
    crc.update(header.toByteArray());
    chunk.writeInt((int) crc.getValue());
    chunk.write(new byte[1000]);
    return file.toByteArray();
  }
}
