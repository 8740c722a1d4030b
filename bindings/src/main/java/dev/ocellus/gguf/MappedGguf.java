package dev.ocellus.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/** One mapped and parsed file, and how it looked when it was opened. */
record MappedGguf(Path path, MemorySegment data, GgufParser.Header header, FileTime modified) {

  private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};

  /**
   * Maps and validates a file.
   *
   * @throws IOException if there is no such file or it cannot be read
   * @throws GgufFormatException if it is not a valid GGUF file
   */
  static MappedGguf open(Path path, Arena arena) throws IOException {
    BasicFileAttributes attributes = attributes(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment data =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
      checkMagic(path, data);
      return new MappedGguf(
          path, data, GgufParser.parse(path, data), attributes.lastModifiedTime());
    } catch (AccessDeniedException e) {
      throw withCause(new AccessDeniedException(path.toString(), null, "no right to read it"), e);
    } catch (InternalError e) {
      // The JVM turns the SIGBUS of a mapped page that is gone into this error.
      throw changed(path, e);
    }
  }

  private static BasicFileAttributes attributes(Path path) throws IOException {
    BasicFileAttributes a;
    try {
      a = Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw withCause(
          new NoSuchFileException(path.toString(), null, "no such file; check the path"), e);
    }
    if (a.isDirectory()) {
      throw new FileSystemException(
          path.toString(), null, "is a directory; give a .gguf file in it");
    }
    if (!a.isRegularFile()) {
      // A pipe would block and a device has no size: neither can be mapped.
      throw new FileSystemException(path.toString(), null, "is not a regular file");
    }
    return a;
  }

  private static void checkMagic(Path path, MemorySegment data) {
    long size = data.byteSize();
    if (size == 0) {
      throw new GgufFormatException(
          path, 0, "file", "a GGUF file", "an empty file", "Download or convert it again.");
    }
    byte[] head = data.asSlice(0, Math.min(size, FileKind.HEAD_BYTES)).toArray(JAVA_BYTE);
    for (int i = 0; i < Math.min(MAGIC.length, head.length); i++) {
      if (head[i] != MAGIC[i]) {
        FileKind.Guess guess = FileKind.describe(head, size);
        throw new GgufFormatException(path, 0, "magic", "'GGUF'", guess.found(), guess.remedy());
      }
    }
    if (size < MAGIC.length) {
      throw new GgufFormatException(
          path,
          size,
          "magic",
          "'GGUF'",
          "only " + size + " bytes",
          "The file is cut short; download it again.");
    }
  }

  /** Throws if the file on disk no longer is what was mapped. */
  void checkUnchanged() throws IOException {
    BasicFileAttributes now = attributes(path);
    if (now.size() != data.byteSize() || !now.lastModifiedTime().equals(modified)) {
      throw changed(path, null);
    }
  }

  private static GgufFormatException changed(Path path, @Nullable Throwable cause) {
    return new GgufFormatException(
        path,
        GgufFormatException.NOWHERE,
        "file",
        "that it stays as it is while in use",
        "that it was changed or truncated by another program",
        "Open it again when it is complete; replace a model by renaming a new file over it.",
        cause);
  }

  private static <E extends IOException> E withCause(E e, Throwable cause) {
    e.initCause(cause);
    return e;
  }
}
