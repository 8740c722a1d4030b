package dev.ocellus.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Temporary files of processes that were killed while they wrote: their names say which process
 * that was, {@code .NAME.ocellus-PID-START-RANDOM.tmp} with the milliseconds of its start.
 */
final class Leftovers {
  private static final Pattern NAME =
      Pattern.compile(
          "\\..*\\.ocellus-(\\d{1,10})-(\\d{1,15})-[0-9a-f]{1,16}\\.tmp", Pattern.DOTALL);

  /** Names of a folder that are looked at, so that a huge one costs nothing. */
  private static final int MAX_NAMES = 4096;

  /** Two readings of one start differ by as much, where the clock is being set. */
  private static final long SAME_START_MILLIS = 10_000;

  private static final long PID = ProcessHandle.current().pid();
  private static final long START = start(ProcessHandle.current());

  private Leftovers() {}

  /** A name for a temporary file of this process. */
  static String name(Path target) {
    return ".%s.ocellus-%d-%d-%s.tmp"
        .formatted(target, PID, START, Long.toHexString(ThreadLocalRandom.current().nextLong()));
  }

  /**
   * Removes what dead processes left in a folder. Whatever cannot be removed stays, silently: it is
   * not what the caller asked for.
   *
   * @param own a file of this process there: only files of the same owner are removed
   */
  static void remove(Path folder, Path own) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      int n = 0;
      for (Path file : files) {
        if (n++ == MAX_NAMES) {
          return;
        }
        Matcher m = NAME.matcher(String.valueOf(file.getFileName()));
        if (m.matches()
            && !isAlive(Long.parseLong(m.group(1)), Long.parseLong(m.group(2)))
            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            && Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(own))) {
          removeUnlocked(file);
        }
      }
    } catch (IOException | DirectoryIteratorException | UnsupportedOperationException e) {
      // a folder that cannot be listed, or a file that another process removed first
    }
  }

  private static boolean isAlive(long pid, long start) {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(p -> Math.abs(start(p) - start) < SAME_START_MILLIS)
        .isPresent();
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** A process of another container that shares the folder is alive if it holds its lock. */
  private static void removeUnlocked(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        Files.deleteIfExists(file);
      }
    }
  }
}
