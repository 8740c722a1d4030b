package dev.ocellus.nativelib;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LargeBlocksTest {
  private static final long FOUR_MIB = 4 << 20;

  /** A bit in the header before a block of glibc, which says that it has pages of its own. */
  private static final long IS_MMAPPED = 2;

  private static final Linker LINKER = Linker.nativeLinker();

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), descriptor);
  }

  @Test
  void aBlockHasPagesOfItsOwnAlsoAfterOneWasFreed() throws Throwable {
    assumeTrue(LINKER.defaultLookup().find("mallopt").isPresent(), "not glibc");
    MethodHandle malloc = function("malloc", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
    MethodHandle free = function("free", FunctionDescriptor.ofVoid(ADDRESS));
    assertThat(LargeBlocks.keepApart(Map.of())).isTrue();
    for (int i = 0; i < 3; i++) {
      MemorySegment block = (MemorySegment) malloc.invokeExact(FOUR_MIB);
      long header =
          MemorySegment.ofAddress(block.address() - Long.BYTES)
              .reinterpret(Long.BYTES)
              .get(JAVA_LONG, 0);
      free.invokeExact(block);
      assertThat(header & IS_MMAPPED).as("block %d", i).isEqualTo(IS_MMAPPED);
    }
  }

  @Test
  void leavesWhatTheEnvironmentAsksFor() {
    assertThat(LargeBlocks.keepApart(Map.of("MALLOC_MMAP_THRESHOLD_", "1000000"))).isFalse();
    assertThat(LargeBlocks.keepApart(Map.of("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"))).isTrue();
    assertThat(LargeBlocks.keepApart(Map.of("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=1")))
        .isFalse();
  }
}
