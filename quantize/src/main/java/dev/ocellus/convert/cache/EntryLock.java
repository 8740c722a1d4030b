package dev.ocellus.convert.cache;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Locks of kept checkpoints, in a file beside each: one process converts at a time, and none
 * removes what another uses. The file is never removed, as two processes could then lock two files
 * of one name.
 *
 * <p>The locks of a process are its own, not its threads', so threads are kept apart by a monitor.
 */
final class EntryLock {
  /** Bytes of the file that are locked: one by who converts, one by all who use the result. */
  private static final long CONVERTING = 0;

  private static final long USING = 1;

  /** Locks that this process keeps until it ends, by the folder that they protect. */
  private static final Map<Path, FileChannel> IN_USE = new HashMap<>();

  /** Folders that a thread of this process converts. */
  private static final Set<Path> BUSY = new HashSet<>();

  private EntryLock() {}

  /** The right to convert; others wait. */
  record Exclusive(Path directory, FileChannel channel, FileLock lock) implements AutoCloseable {

    /** Keeps others from removing the folder as long as this process runs. */
    void keepInUse() throws IOException {
      synchronized (IN_USE) {
        if (!IN_USE.containsKey(directory)) {
          channel.lock(USING, 1, true);
          IN_USE.put(directory, channel);
        }
      }
    }

    @Override
    public void close() throws IOException {
      lock.release();
      release(directory, channel);
    }
  }

  /** Waits for the right to convert into a folder. */
  static Exclusive acquire(Path directory) throws IOException {
    FileChannel channel;
    synchronized (IN_USE) {
      while (!BUSY.add(directory)) {
        waitForChange();
      }
      FileChannel kept = IN_USE.get(directory);
      channel = kept != null ? kept : open(directory);
    }
    @Nullable FileLock lock = null;
    try {
      lock = channel.lock(CONVERTING, 1, false);
      return new Exclusive(directory, channel, lock);
    } finally {
      if (lock == null) {
        release(directory, channel);
      }
    }
  }

  private static void release(Path directory, FileChannel channel) throws IOException {
    synchronized (IN_USE) {
      // closing any channel of a file gives up all locks that the process has on it
      if (IN_USE.get(directory) == null) {
        channel.close();
      }
      BUSY.remove(directory);
      IN_USE.notifyAll();
    }
  }

  private static void waitForChange() throws IOException {
    try {
      IN_USE.wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }

  /** What to do with a folder. */
  interface Action {
    void run() throws IOException;
  }

  /** Does something with a folder unless it is used, here or by another process. */
  static void ifUnused(Path directory, Action action) throws IOException {
    synchronized (IN_USE) {
      if (IN_USE.containsKey(directory) || BUSY.contains(directory)) {
        return;
      }
      try (FileChannel channel = open(directory);
          FileLock lock = channel.tryLock(CONVERTING, USING + 1, false)) {
        if (lock != null) {
          action.run();
        }
      } catch (OverlappingFileLockException e) {
        // of this process after all
      }
    }
  }

  private static FileChannel open(Path directory) throws IOException {
    return FileChannel.open(
        directory.resolveSibling("." + directory.getFileName() + ".lock"),
        StandardOpenOption.CREATE,
        StandardOpenOption.WRITE,
        StandardOpenOption.READ);
  }
}
