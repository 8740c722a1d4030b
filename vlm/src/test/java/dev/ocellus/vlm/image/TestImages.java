package dev.ocellus.vlm.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Pictures and tables for the tests of this package. */
final class TestImages {
  /** Reference images that all modules share, seen from a module's directory. */
  static final Path GOLDEN = Path.of("..", "tests", "golden", "images");

  private TestImages() {}

  /** Noise that make_resize_golden.py draws as well: a hash of the byte's index. */
  static RgbImage noise(int width, int height, int seed) {
    byte[] data = new byte[width * height * 3];
    for (int i = 0; i < data.length; i++) {
      int v = i * 0x9E3779B1 + seed;
      v ^= v >>> 15;
      v *= 0x85EBCA77;
      v ^= v >>> 13;
      data[i] = (byte) v;
    }
    return RgbImage.of(width, height, data);
  }

  /** Tab-separated rows of a resource of this package. */
  static List<String[]> table(String name) {
    try (var in = TestImages.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no test resource " + name);
      }
      return new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
