package dev.ocellus.llama;

import dev.ocellus.nativelib.WordCalls;
import java.io.IOException;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Pages of a mapped model that nobody reads any more.
 *
 * <p>libllama maps a file with all of its pages, and where a processor has kernels with a layout of
 * their own, copies most weights into that: they are then in memory twice. The mapping has to stay,
 * as some tensors are read from it, but the process can give its pages back; those that are needed
 * come again from the system's cache of the file.
 */
final class MappedWeights {
  /** Below this nothing is worth the looking. */
  private static final long MIN_BYTES = 64L << 20;

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path MAPS = Path.of("/proc/self/maps");
  private static final Pattern ANONYMOUS = Pattern.compile("(?m)^RssAnon:\\s+(\\d+) kB");
  private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) r.*?(/.*)");
  private static final int MADV_DONTNEED = 4; // of Linux, where alone there is /proc/self/maps

  private final Path file;
  private final long bytes;
  private final long before;

  /**
   * Looks at the memory of the process before a model is loaded.
   *
   * @param file the first, or only, file of the model
   */
  MappedWeights(Path file) {
    this.file = file;
    this.bytes = size(file);
    this.before = bytes < MIN_BYTES ? 0 : anonymousBytes();
  }

  /** Gives back the pages of the file if the model, which is loaded now, was copied. */
  void releaseIfCopied() {
    if (before > 0 && anonymousBytes() - before > bytes / 2) {
      release();
    }
  }

  private void release() {
    Optional<MemorySegment> madvise = Linker.nativeLinker().defaultLookup().find("madvise");
    if (madvise.isEmpty()) {
      return;
    }
    try {
      String path = file.toRealPath().toString();
      for (String line : Files.readAllLines(MAPS)) {
        Matcher range = RANGE.matcher(line);
        if (range.matches() && range.group(3).equals(path)) {
          long start = Long.parseUnsignedLong(range.group(1), 16);
          long end = Long.parseUnsignedLong(range.group(2), 16);
          WordCalls.call(
              madvise.get(),
              WordCalls.word(start),
              WordCalls.word(end - start),
              WordCalls.word(MADV_DONTNEED));
        }
      }
    } catch (IOException e) { // then the memory stays in use, which harms nobody
      return;
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) { // whoever loads it says what is wrong
      return 0;
    }
  }

  /** Memory of the process that is no part of a file; 0 where the system does not tell. */
  private static long anonymousBytes() {
    try {
      Matcher matcher = ANONYMOUS.matcher(Files.readString(STATUS));
      return matcher.find() ? Long.parseLong(matcher.group(1)) << 10 : 0;
    } catch (IOException e) {
      return 0;
    }
  }
}
