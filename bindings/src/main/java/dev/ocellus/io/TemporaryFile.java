package dev.ocellus.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A complete file that waits to be renamed, under a name that says which process wrote it. */
final class TemporaryFile implements AutoCloseable {
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path temporary;
  private final Path target;
  private boolean renamed;

  private TemporaryFile(Path temporary, Path target) {
    this.temporary = temporary;
    this.target = target;
  }

  /**
   * Writes the content beside the file that it is to replace, and flushes it to the disk.
   *
   * @param place where there is nothing or a regular file
   */
  static TemporaryFile write(OutputPlace place, AtomicFile.Content content) throws IOException {
    Path target = place.file();
    Path folder = folder(target);
    @Nullable PosixFileAttributes old = attributes(target);
    TemporaryFile file =
        new TemporaryFile(folder.resolve(Leftovers.name(target.getFileName())), target);
    boolean done = false;
    try {
      // what replaces a private file is private from the beginning
      FileAttribute<?>[] rights =
          old == null ? new FileAttribute<?>[0] : new FileAttribute<?>[] {OWNER_ONLY};
      try (FileChannel channel =
          FileChannel.open(
              file.temporary,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              rights)) {
        lock(channel);
        Leftovers.remove(folder, file.temporary);
        NamedOutput output = new NamedOutput(channel, place.given());
        content.writeTo(output);
        if (old != null) {
          keep(old, file.temporary);
        }
        output.force();
      }
      done = true;
      return file;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  /** Tells processes that cannot see this one, in other containers, that it is alive. */
  private static @Nullable FileLock lock(FileChannel channel) {
    try {
      return channel.tryLock(); // held until the channel is closed
    } catch (IOException | UnsupportedOperationException e) {
      return null; // file systems without locks
    }
  }

  private static @Nullable PosixFileAttributes attributes(Path target) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(target, PosixFileAttributeView.class);
    try {
      return view == null ? null : view.readAttributes();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static void keep(PosixFileAttributes old, Path file) throws IOException {
    PosixFileAttributeView view =
        Objects.requireNonNull(Files.getFileAttributeView(file, PosixFileAttributeView.class));
    try {
      view.setOwner(old.owner());
      view.setGroup(old.group());
    } catch (IOException e) {
      // only root may give files away; the content is what matters
    }
    view.setPermissions(old.permissions());
  }

  /** Gives the file its name, and makes that durable. */
  void rename() throws IOException {
    Files.move(
        temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    renamed = true;
    syncDirectory(folder(target));
  }

  /** Removes the file if it was not renamed. */
  @Override
  public void close() throws IOException {
    if (!renamed) {
      Files.deleteIfExists(temporary);
    }
  }

  private static Path folder(Path target) {
    return Objects.requireNonNull(target.toAbsolutePath().getParent());
  }

  /** Makes the rename itself durable, where the platform has that. */
  private static void syncDirectory(Path directory) throws IOException {
    if (System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows")) {
      return; // a directory cannot be opened there, and NTFS journals the rename
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
