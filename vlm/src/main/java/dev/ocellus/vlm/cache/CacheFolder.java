package dev.ocellus.vlm.cache;

import dev.ocellus.nativelib.CacheDirectory;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Files of one kind in a directory that several processes may share. Nothing is locked: a file
 * appears whole, by renaming, and carries its own checksum, so that the worst that a race or a
 * crash can do is that something is computed once more. The time of a file's last change is when it
 * was used last; the oldest go first when there are too many bytes.
 *
 * <p>The directory is made for this user alone, and is not used if it is another user's or every
 * user can write to it. A cache is never a reason to fail: what goes wrong is logged once and ends
 * its use.
 */
public final class CacheFolder {
  private static final Logger LOG = System.getLogger("dev.ocellus.vlm.cache");
  private static final String UNFINISHED = ".tmp";

  private final Path directory;
  private final String kind;
  private final String name;
  private final long capacity;
  private volatile boolean checked;
  private volatile boolean broken;

  /**
   * @param kind what the names of its files end with
   * @param name what messages call it
   * @param capacity most bytes of files of this kind
   */
  public CacheFolder(Path directory, String kind, String name, long capacity) {
    this.directory = directory;
    this.kind = kind;
    this.name = name;
    this.capacity = capacity;
  }

  /** Writes a file's bytes. */
  @FunctionalInterface
  public interface Writer {
    void write(FileChannel channel) throws IOException;
  }

  /** Reads a file; null if it is damaged, which removes it. */
  @FunctionalInterface
  public interface Reader<T> {
    @Nullable T read(FileChannel channel) throws IOException;
  }

  /** Most bytes of files. */
  public long capacity() {
    return capacity;
  }

  /**
   * Reads a file.
   *
   * @return what the reader gives; null if there is no such file, or it is damaged
   */
  public <T> @Nullable T find(String key, Reader<T> reader) {
    Path file = directory.resolve(key + kind);
    if (broken) {
      return null;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      require();
      if (channel.size() > capacity) {
        return null;
      }
      T found = reader.read(channel);
      if (found == null) {
        LOG.log(Level.WARNING, "{0} is damaged; it is removed and computed again", file);
        Files.deleteIfExists(file);
      } else {
        touch(file);
      }
      return found;
    } catch (NoSuchFileException e) {
      return null; // the usual way not to be there
    } catch (IOException e) {
      giveUp(e);
      return null;
    }
  }

  private void require() throws IOException {
    if (!checked) {
      CacheDirectory.create(directory);
      checked = true;
    }
  }

  private static void touch(Path file) throws IOException {
    try {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
    } catch (NoSuchFileException e) {
      return; // another process has just removed it
    }
  }

  /** Writes a file, and removes others if there are too many bytes then. */
  public void put(String key, Writer writer) {
    if (broken) {
      return;
    }
    Path temporary =
        directory.resolve(
            key + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + UNFINISHED);
    try {
      require();
      try {
        try (FileChannel channel =
            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          writer.write(channel);
        }
        Files.move(
            temporary,
            directory.resolve(key + kind),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
      trim();
    } catch (IOException e) {
      giveUp(e);
    }
  }

  private record Entry(Path file, long size, FileTime used) {}

  /** Removes what was used longest ago, and what processes that died have left. */
  private void trim() throws IOException {
    List<Entry> entries = new ArrayList<>();
    long total = 0;
    Instant abandoned = Instant.now().minus(Duration.ofHours(1));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String fileName = file.toString();
        boolean unfinished = fileName.endsWith(UNFINISHED);
        if (!unfinished && !fileName.endsWith(kind)) {
          continue; // not ours
        }
        try {
          var attributes = Files.readAttributes(file, BasicFileAttributes.class);
          if (!unfinished) {
            entries.add(new Entry(file, attributes.size(), attributes.lastModifiedTime()));
            total += attributes.size();
          } else if (attributes.lastModifiedTime().toInstant().isBefore(abandoned)) {
            Files.deleteIfExists(file);
          }
        } catch (NoSuchFileException e) {
          LOG.log(Level.DEBUG, "another process was faster to remove {0}", file);
        }
      }
    }
    entries.sort(Comparator.comparing(Entry::used));
    for (Entry entry : entries) {
      if (total <= capacity) {
        return;
      }
      Files.deleteIfExists(entry.file);
      total -= entry.size;
    }
  }

  private void giveUp(IOException e) {
    broken = true;
    LOG.log(
        Level.WARNING, "the {0} in {1} is not used any more: {2}", name, directory, e.toString());
  }
}
