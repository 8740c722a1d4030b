package dev.ocellus.ggml;

import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Pages of files that are mapped for reading only. */
final class FilePages {
  /** Of most systems. Where pages are larger the system refuses, and the process keeps them. */
  private static final long PAGE = 4096;

  private static final int MADV_DONTNEED = 4;
  private static final Optional<MemorySegment> MADVISE =
      Linker.nativeLinker().defaultLookup().find("madvise");

  private FilePages() {}

  /** As {@link #release(long, long)}, if they are of a file. */
  static void release(MemorySegment pages) {
    if (pages.isMapped()) {
      release(pages.address(), pages.byteSize());
    }
  }

  /**
   * Gives back what the process holds of them. The system's cache of the file keeps them, so that
   * reading them again costs little.
   */
  static void release(long address, long bytes) {
    long first = Math.ceilDiv(address, PAGE) * PAGE;
    long length = (address + bytes) / PAGE * PAGE - first;
    if (length > 0 && MADVISE.isPresent()) {
      WordCalls.call(
          MADVISE.get(),
          WordCalls.word(first),
          WordCalls.word(length),
          WordCalls.word(MADV_DONTNEED));
    }
  }
}
