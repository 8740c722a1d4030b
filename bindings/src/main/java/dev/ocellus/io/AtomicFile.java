package dev.ocellus.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;

/**
 * Writes a file so that its name only ever stands for the complete content: into a temporary file
 * beside it, flushed to the disk, then renamed. Readers that have the old file open keep it.
 *
 * <p>A symbolic link stays, and the file that it leads to is replaced. Permissions and owner of a
 * file that is replaced are kept. What is no regular file is never replaced: a character device and
 * a named pipe are written into, a block device and a socket are refused. Temporary files that
 * processes left that have died are removed from the folder.
 */
public final class AtomicFile {
  /** Writes the content. */
  @FunctionalInterface
  public interface Content {
    /** Writes everything into the channel, which is empty and open for writing. */
    void writeTo(SeekableByteChannel channel) throws IOException;
  }

  private AtomicFile() {}

  /**
   * Creates or replaces {@code path}. On any failure, an interrupt included, the temporary file is
   * removed and {@code path} is as it was.
   *
   * @param content writes from the beginning to the end, so that a pipe can take it too
   * @throws IOException if the directory is missing, or writing, flushing or renaming fails; what
   *     the system says of writing comes with the name of the file
   */
  public static void write(Path path, Content content) throws IOException {
    OutputPlace place = OutputPlace.of(path);
    if (place.isReplaced()) {
      replace(place, content);
    } else {
      place.writeInto(content);
    }
  }

  /**
   * The same for content that goes back and forth, which devices and pipes cannot take.
   *
   * @throws IOException also if {@code path} is no regular file
   */
  public static void writeInAnyOrder(Path path, Content content) throws IOException {
    OutputPlace place = OutputPlace.of(path);
    place.requireReplaced();
    replace(place, content);
  }

  /**
   * Creates or replaces {@code path} with these bytes.
   *
   * @throws IOException as {@link #write(Path, Content)}
   */
  public static void write(Path path, byte[] bytes) throws IOException {
    write(path, channel -> Channels.write(channel, ByteBuffer.wrap(bytes)));
  }

  private static void replace(OutputPlace place, Content content) throws IOException {
    try (TemporaryFile temporary = TemporaryFile.write(place, content)) {
      temporary.rename();
    }
  }
}
