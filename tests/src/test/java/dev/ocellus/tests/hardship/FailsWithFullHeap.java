package dev.ocellus.tests.hardship;

import dev.ocellus.ggml.NativeStack;
import org.jspecify.annotations.Nullable;

/**
 * Fails on a thread of its own while not one more object fits into the heap. Prints {@code told} if
 * the caller learns of it, and does not wait for ever.
 */
public final class FailsWithFullHeap {
  private static final IllegalStateException FAILURE = new IllegalStateException("as asked for");
  private static @Nullable Object held;

  private FailsWithFullHeap() {}

  /** Runs; the heap should be small. */
  public static void main(String[] args) {
    NativeStack.callOnOwnThread(() -> held == null); // links what is called
    boolean told = false;
    try {
      NativeStack.callOnOwnThread(FailsWithFullHeap::fail);
    } catch (IllegalStateException e) {
      held = null;
      told = e.equals(FAILURE);
    }
    System.out.println(told ? "told" : "not told");
  }

  private static boolean fail() {
    held = Heap.takeAll();
    throw FAILURE;
  }
}
