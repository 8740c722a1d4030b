package dev.ocellus.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;

/**
 * What is at a path that is to be written.
 *
 * @param given the path as it was given, for messages
 * @param file the path without symbolic links
 * @param kind what is there
 */
record OutputPlace(Path given, Path file, Kind kind) {
  /** What can be at a path. */
  enum Kind {
    NOTHING("nothing"),
    FILE("a file"),
    CHARACTER_DEVICE("a character device"),
    NAMED_PIPE("a named pipe"),
    BLOCK_DEVICE("a block device"),
    SOCKET("a socket"),
    OTHER("neither a file nor a device");

    private final String article;

    Kind(String article) {
      this.article = article;
    }
  }

  /** How long a named pipe may wait for the program that reads it. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final int MAX_LINKS = 40; // as Linux

  /**
   * Looks at a path.
   *
   * @throws IOException if it is a directory, or in one that is missing
   */
  static OutputPlace of(Path path) throws IOException {
    Path file = withoutLinks(path);
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null || file.getFileName() == null || Files.isDirectory(file)) {
      throw new FileSystemException(path.toString(), null, "is a directory; give a file name");
    }
    if (!Files.isDirectory(parent)) {
      throw new NoSuchFileException(parent.toString(), null, "no such directory; create it first");
    }
    return new OutputPlace(path, file, kind(file));
  }

  /** Where links lead, also one that leads to nothing yet. */
  private static Path withoutLinks(Path path) throws IOException {
    Path file = path;
    for (int i = 0; Files.isSymbolicLink(file); i++) {
      if (i == MAX_LINKS) {
        throw new FileSystemLoopException(path.toString());
      }
      Path target = file.resolveSibling(Files.readSymbolicLink(file));
      if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS) && Files.exists(file)) {
        return file; // of /proc: a pipe without a name, for which only the link stands
      }
      file = target;
    }
    return file;
  }

  private static Kind kind(Path file) throws IOException {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      return Kind.NOTHING;
    }
    if (attributes.isRegularFile()) {
      return Kind.FILE;
    }
    if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return Kind.OTHER;
    }
    int format = (int) Files.getAttribute(file, "unix:mode") & 0xf000; // S_IFMT of sys/stat.h
    return switch (format) {
      case 0x1000 -> Kind.NAMED_PIPE;
      case 0x2000 -> Kind.CHARACTER_DEVICE;
      case 0x6000 -> Kind.BLOCK_DEVICE;
      case 0xc000 -> Kind.SOCKET;
      default -> Kind.OTHER;
    };
  }

  /** Whether a complete file takes this place, instead of its bytes going into what is there. */
  boolean isReplaced() {
    return kind == Kind.NOTHING || kind == Kind.FILE;
  }

  /**
   * @throws IOException if no file can take this place
   */
  void requireReplaced() throws IOException {
    if (!isReplaced()) {
      throw new FileSystemException(
          given.toString(),
          null,
          "is %s, and this cannot be written there; give the name of a file"
              .formatted(kind.article));
    }
  }

  /**
   * Writes into what is there.
   *
   * @throws IOException if it takes no stream of bytes, or nobody reads a named pipe
   */
  void writeInto(AtomicFile.Content content) throws IOException {
    if (kind != Kind.CHARACTER_DEVICE && kind != Kind.NAMED_PIPE) {
      requireReplaced();
    }
    try (FileChannel channel =
        kind == Kind.NAMED_PIPE ? PipeOpener.openForWriting(file, PATIENCE) : open(file)) {
      content.writeTo(new NamedOutput(channel, given));
    } catch (AccessDeniedException e) {
      throw (IOException)
          new AccessDeniedException(given.toString(), null, "no right to write to it").initCause(e);
    }
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.WRITE);
  }
}
