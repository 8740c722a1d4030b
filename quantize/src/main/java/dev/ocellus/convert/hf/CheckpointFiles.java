package dev.ocellus.convert.hf;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.io.ForeignFile;
import dev.ocellus.io.MappedFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens the files of a checkpoint, all of them here: only regular files, as a pipe would block for
 * ever, and no pointers that stand for files.
 */
public final class CheckpointFiles {
  /** Tokenizers take tens of megabytes, everything else less. */
  private static final long MAX_BYTES = 256L << 20;

  private CheckpointFiles() {}

  /**
   * Opens a file of any size.
   *
   * @param kind what it should be, such as {@code ".json"}
   * @throws IOException if it is missing, no regular file, or cannot be read
   * @throws ConversionException if it is a Git LFS pointer, a web page or the like
   */
  public static InputStream open(Path file, String kind) throws IOException {
    MappedFile.attributes(file, kind);
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    boolean ok = false;
    try {
      in.mark(ForeignFile.HEAD_BYTES);
      byte[] head = in.readNBytes(ForeignFile.HEAD_BYTES);
      in.reset();
      requireGenuine(file, head, kind);
      ok = true;
      return in;
    } finally {
      if (!ok) {
        in.close();
      }
    }
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it is missing, no regular file, or cannot be read
   * @throws ConversionException also if it takes more than 256 MiB
   */
  public static byte[] read(Path file, String kind) throws IOException {
    long size = MappedFile.attributes(file, kind).size();
    if (size > MAX_BYTES) {
      throw ConversionException.at(
          file, "size", "at most " + MAX_BYTES + " bytes", "" + size, "Is it another file?");
    }
    try (InputStream in = open(file, kind)) {
      return in.readAllBytes();
    }
  }

  /** Reads a text in UTF-8. */
  public static String text(Path file, String kind) throws IOException {
    return new String(read(file, kind), StandardCharsets.UTF_8);
  }

  private static void requireGenuine(Path file, byte[] head, String kind) {
    Optional<ForeignFile.Description> foreign = ForeignFile.recognise(head);
    if (foreign.isPresent()) {
      throw ConversionException.at(
          file, "file", "a " + kind + " file", foreign.get().found(), foreign.get().remedy());
    }
  }
}
