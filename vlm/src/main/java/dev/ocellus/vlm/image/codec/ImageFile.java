package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Pattern;

/**
 * The bytes of a file. Whoever opens a pipe that nobody writes to waits for ever, and so does a
 * server that was given its name. So pipes and devices are only read under the names that a process
 * has for its own streams, {@code /dev/stdin} and {@code /dev/fd/N} (which is what a shell's {@code
 * <(…)} gives); what has these open has been asked to read them.
 */
final class ImageFile {
  private static final Pattern OWN_STREAM =
      Pattern.compile("/dev/stdin|/dev/fd/\\d+|/proc/(self|\\d+)/fd/\\d+");

  private ImageFile() {}

  /**
   * Reads a file to its end.
   *
   * @throws IOException if it cannot be read
   * @throws ImageFormatException if it is longer than allowed, a directory, or a pipe or device of
   *     another name
   */
  static byte[] read(Path file, ImageLimits limits) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (attributes.isDirectory()) {
      throw new ImageFormatException(
          Kind.NOT_AN_IMAGE, "this is a directory and not an image; give the files in it");
    }
    boolean own = OWN_STREAM.matcher(file.toAbsolutePath().normalize().toString()).matches();
    if (attributes.isOther() && !own) {
      throw new ImageFormatException(
          Kind.NOT_AN_IMAGE,
          "this is a pipe or a device and not a file; such are only read as /dev/stdin or /dev/fd/N");
    }
    if (attributes.isRegularFile()) {
      limits.checkBytes(attributes.size());
    }
    try (InputStream in = Files.newInputStream(file)) {
      return read(in, limits);
    }
  }

  /** Reads a stream to its end, without closing it; its length is not known before. */
  static byte[] read(InputStream in, ImageLimits limits) throws IOException {
    byte[] bytes = in.readNBytes((int) Math.min(limits.maxBytes() + 1, Integer.MAX_VALUE - 8));
    limits.checkBytes(bytes.length);
    return bytes;
  }
}
