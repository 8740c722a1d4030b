package dev.ocellus.nativelib;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the memory of contexts and graphs out of glibc's heaps.
 *
 * <p>glibc gives large blocks pages of their own, which the system has back when they are freed,
 * but takes blocks for small ones as soon as one of their size was freed, up to 32 MiB. Contexts
 * come and go with conversations, so their blocks then lie between those that stay, and a process
 * that holds chats by the thousand grows. The threshold is fixed here, near where it starts.
 */
final class LargeBlocks {
  /** glibc's number for it in {@code malloc.h}. */
  private static final int M_MMAP_THRESHOLD = -3;

  /** Bytes from which a block has pages of its own. */
  private static final int THRESHOLD = 256 << 10;

  private LargeBlocks() {}

  /**
   * Fixes the threshold, unless the environment says something about it or the C library is
   * another.
   *
   * @return whether it was fixed
   */
  static boolean keepApart(Map<String, String> environment) {
    boolean chosen =
        environment.containsKey("MALLOC_MMAP_THRESHOLD_")
            || environment
                .getOrDefault("GLIBC_TUNABLES", "")
                .contains("glibc.malloc.mmap_threshold");
    Optional<MemorySegment> function = Linker.nativeLinker().defaultLookup().find("mallopt");
    if (chosen || function.isEmpty()) {
      return false;
    }
    var mallopt =
        Linker.nativeLinker()
            .downcallHandle(function.get(), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    try {
      return (int) mallopt.invokeExact(M_MMAP_THRESHOLD, THRESHOLD) == 1;
    } catch (Throwable e) {
      throw GgmlCalls.unexpected(e);
    }
  }
}
