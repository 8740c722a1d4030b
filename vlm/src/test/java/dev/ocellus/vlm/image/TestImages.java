package dev.ocellus.vlm.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Images and tables for the tests of this package and of codec. */
public final class TestImages {
  /** Reference images that all modules share, seen from a module's directory. */
  public static final Path GOLDEN = Path.of("..", "tests", "golden", "images");

  private TestImages() {}

  /** Noise that make_resize_golden.py draws as well: a hash of the byte's index. */
  public static RgbImage noise(int width, int height, int seed) {
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
  public static List<String[]> table(String name) {
    return rows(resource(name));
  }

  /** Tab-separated rows of a file. */
  public static List<String[]> table(Path file) {
    return rows(bytes(file));
  }

  private static List<String[]> rows(byte[] text) {
    return new String(text, UTF_8).lines().map(line -> line.split("\t", -1)).toList();
  }

  /** A file that make_formats.py wrote. */
  public static byte[] format(String name) {
    return resource("codec/formats/" + name);
  }

  /** The files of a ZIP archive, by name. */
  public static Map<String, byte[]> archive(String name) {
    Map<String, byte[]> files = new TreeMap<>();
    try (var zip = new ZipInputStream(new ByteArrayInputStream(resource(name)))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }

  private static byte[] resource(String name) {
    try (var in = TestImages.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no test resource " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the CRC-32 of {@code length} bytes from {@code start} on behind them. */
  public static void fixCrc(byte[] file, int start, int length) {
    CRC32 crc = new CRC32();
    crc.update(file, start, length);
    ByteBuffer.wrap(file).putInt(start + length, (int) crc.getValue());
  }

  /** Where two bytes stand in a file. */
  public static int indexOf(byte[] file, int first, int second) {
    for (int i = 0; i + 1 < file.length; i++) {
      if ((file[i] & 0xFF) == first && (file[i + 1] & 0xFF) == second) {
        return i;
      }
    }
    throw new IllegalArgumentException("the file lacks the bytes %x %x".formatted(first, second));
  }
}
