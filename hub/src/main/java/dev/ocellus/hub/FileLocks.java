package dev.ocellus.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets one pull fetch a file while others wait for it: threads by a lock of their own, as the
 * system's locks are of processes.
 */
final class FileLocks {
  /** End of the names of files that are being fetched. */
  static final String PARTIAL = ".ocellus.part";

  private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

  private FileLocks() {}

  /** Work that reads and writes files. */
  @FunctionalInterface
  interface Work {
    void run() throws IOException;
  }

  /** Does the work while nobody else does any under the same lock. */
  static void with(Path lock, Runnable waiting, Work work) throws IOException {
    ReentrantLock mine =
        THREADS.computeIfAbsent(lock.toAbsolutePath().normalize(), p -> new ReentrantLock());
    if (!mine.tryLock()) {
      waiting.run();
      mine.lock();
    }
    try {
      Files.createDirectories(Objects.requireNonNull(lock.toAbsolutePath().getParent()));
      try (FileChannel channel =
              FileChannel.open(lock, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
          FileLock held = lock(channel, waiting)) {
        work.run();
      }
    } finally {
      mine.unlock();
    }
  }

  private static @Nullable FileLock lock(FileChannel channel, Runnable waiting) throws IOException {
    try {
      FileLock now = channel.tryLock();
      if (now != null) {
        return now;
      }
      waiting.run();
      return channel.lock();
    } catch (OverlappingFileLockException e) {
      return null; // a second copy of this class in the process; the rename at the end is atomic
    }
  }
}
