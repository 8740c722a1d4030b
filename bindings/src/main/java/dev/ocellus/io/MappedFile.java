package dev.ocellus.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/** Maps files for reading and says clearly why one cannot be mapped. */
public final class MappedFile {
  private MappedFile() {}

  /**
   * Maps the whole file read-only. It may exceed 2 GiB, and it may be empty.
   *
   * @param kind what the file should be, for the message, such as {@code ".gguf"}
   * @param arena its closing unmaps the file
   * @throws InterruptedIOException if this thread is interrupted, which it stays
   * @throws IOException if the path is missing, is not a regular file, or cannot be read
   */
  public static MemorySegment map(Path path, String kind, Arena arena) throws IOException {
    attributes(path, kind);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
    } catch (AccessDeniedException e) {
      throw withCause(new AccessDeniedException(path.toString(), null, "no right to read it"), e);
    } catch (ClosedByInterruptException e) {
      throw withCause(
          new InterruptedIOException(
              path + ": the thread was interrupted while it opened this file; try again"),
          e);
    }
  }

  /**
   * The attributes of a regular file.
   *
   * @throws IOException if the path is missing or is not a regular file
   */
  public static BasicFileAttributes attributes(Path path, String kind) throws IOException {
    BasicFileAttributes a;
    try {
      a = Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw withCause(
          new NoSuchFileException(path.toString(), null, "no such file; check the path"), e);
    }
    if (a.isDirectory()) {
      throw new FileSystemException(
          path.toString(), null, "is a directory; give a " + kind + " file in it");
    }
    if (!a.isRegularFile()) {
      // A pipe would block and a device has no size: neither can be mapped.
      throw new FileSystemException(path.toString(), null, "is not a regular file");
    }
    return a;
  }

  private static <E extends IOException> E withCause(E e, Throwable cause) {
    e.initCause(cause);
    return e;
  }
}
