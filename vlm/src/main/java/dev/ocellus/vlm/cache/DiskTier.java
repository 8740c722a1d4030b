package dev.ocellus.vlm.cache;

import dev.ocellus.vlm.vision.EncodedImage;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Images as files of a directory that several processes may share. Nothing is locked: a file
 * appears whole, by renaming, and carries its own checksum, so that the worst that a race or a
 * crash can do is that an image is encoded once more. The time of a file's last change is when it
 * was used last; the oldest go first when the directory is full.
 *
 * <p>A cache is never a reason to fail. What goes wrong is logged once and ends its use.
 */
final class DiskTier {
  private static final Logger LOG = System.getLogger("dev.ocellus.vlm.cache");
  private static final String KIND = ".image";
  private static final String UNFINISHED = ".tmp";

  private final Path directory;
  private final long capacity;
  private volatile boolean broken;

  DiskTier(Path directory, long capacity) {
    this.directory = directory;
    this.capacity = capacity;
  }

  @Nullable EncodedImage find(String key) {
    Path file = directory.resolve(key + KIND);
    if (broken) {
      return null;
    }
    try {
      if (Files.size(file) > capacity) {
        return null;
      }
      EncodedImage image = EncodedImageFormat.read(key, Files.readAllBytes(file));
      if (image == null) {
        LOG.log(Level.WARNING, "{0} is damaged; it is removed, and the image encoded again", file);
        Files.deleteIfExists(file);
        return null;
      }
      touch(file);
      return image;
    } catch (NoSuchFileException e) {
      return null; // the usual way not to be there
    } catch (IOException e) {
      giveUp(e);
      return null;
    }
  }

  private static void touch(Path file) throws IOException {
    try {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
    } catch (NoSuchFileException e) {
      return; // another process has just removed it
    }
  }

  void put(String key, EncodedImage image) {
    if (broken || image.byteSize() > capacity) {
      return;
    }
    Path temporary =
        directory.resolve(
            key + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + UNFINISHED);
    try {
      createDirectory();
      try {
        Files.write(
            temporary,
            EncodedImageFormat.write(key, image),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
        Files.move(
            temporary,
            directory.resolve(key + KIND),
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

  /** Images are private, and so is what was computed from them. */
  private void createDirectory() throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } else {
      Files.createDirectories(directory);
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
        String name = file.toString();
        boolean unfinished = name.endsWith(UNFINISHED);
        if (!unfinished && !name.endsWith(KIND)) {
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
        Level.WARNING, "the image cache in {0} is not used any more: {1}", directory, e.toString());
  }
}
