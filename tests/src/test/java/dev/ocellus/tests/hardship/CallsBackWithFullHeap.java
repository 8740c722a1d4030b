package dev.ocellus.tests.hardship;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ocellus.ggml.Upcalls;
import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * Lets native code call back thousands of times while not one more object fits into the heap: the C
 * library's {@code qsort}, whose comparison is in Java. Prints {@code sorted} if it did.
 */
public final class CallsBackWithFullHeap {
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final int N = 5000;

  private CallsBackWithFullHeap() {}

  /** Runs; the heap should be small. */
  public static void main(String[] args) {
    try (Arena arena = Arena.ofConfined()) {
      Linker linker = Linker.nativeLinker();
      MemorySegment qsort = linker.defaultLookup().find("qsort").orElseThrow();
      MemorySegment comparison = Upcalls.stub((a, b, c) -> compare(a, b), arena);
      MemorySegment data = arena.allocate(JAVA_INT, N);
      MemorySegment size = WordCalls.word(JAVA_INT.byteSize());
      // what this class calls for the first time needs memory, too
      sort(null, qsort, data, WordCalls.word(2), size, comparison);
      for (int i = 0; i < N; i++) {
        data.setAtIndex(JAVA_INT, i, (int) (i * 2654435761L >>> 8));
      }
      MemorySegment all = WordCalls.word(N);
      sort(Heap.takeAll(), qsort, data, all, size, comparison);
      for (int i = 1; i < N; i++) {
        if (data.getAtIndex(JAVA_INT, i - 1) > data.getAtIndex(JAVA_INT, i)) {
          throw new IllegalStateException("not sorted at " + i);
        }
      }
      System.out.println("sorted");
    }
  }

  /** Sorts while {@code held} is kept, and no longer. */
  private static void sort(
      @Nullable Object held,
      MemorySegment qsort,
      MemorySegment data,
      MemorySegment count,
      MemorySegment size,
      MemorySegment comparison) {
    WordCalls.call(qsort, data, count, size, comparison);
    Reference.reachabilityFence(held);
  }

  private static long compare(long a, long b) {
    return a == 0 || b == 0 // a trial
        ? 0
        : Integer.compare(MEMORY.get(JAVA_INT, a), MEMORY.get(JAVA_INT, b));
  }
}
