package dev.ocellus.vlm.generation;

import dev.ocellus.compute.OutOfDeviceMemoryException;

/** Room on Java's heap, which is asked for before the arrays of an image are made. */
final class HeapRoom {
  private HeapRoom() {}

  /**
   * @param model for a message
   * @param what needs the room
   * @throws OutOfDeviceMemoryException if there is less
   */
  static void require(Object model, String what, long bytes) {
    if (bytes > free()) {
      System.gc(); // what nobody uses any more counts as used until then
      long free = free();
      if (bytes > free) {
        throw new OutOfDeviceMemoryException(
            "%s: %s needs %d MiB of Java's heap, of which %d MiB are free. Make it smaller, or start Java with a larger heap (-Xmx)."
                .formatted(model, what, bytes >> 20, free >> 20));
      }
    }
  }

  private static long free() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
  }
}
