package dev.ocellus.tests.hardship;

import org.jspecify.annotations.Nullable;

/** Takes the heap, down to what one small object needs. */
final class Heap {
  private static final int LARGEST = 1 << 16;
  private static final int SMALLEST = 16;

  private record Taken(byte[] data, @Nullable Taken next) {}

  private Heap() {}

  /** Takes all that is free, until nobody refers to the result any more. */
  static @Nullable Object takeAll() {
    Taken taken = null;
    for (int size = LARGEST; size >= SMALLEST; size /= 2) {
      try {
        while (true) {
          taken = new Taken(new byte[size], taken);
        }
      } catch (OutOfMemoryError e) {
        // smaller ones may fit
      }
    }
    return taken;
  }
}
