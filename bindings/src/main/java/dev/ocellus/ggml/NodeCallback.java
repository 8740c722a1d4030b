package dev.ocellus.ggml;

import java.lang.foreign.MemorySegment;

/** What ggml's scheduler asks about every node while it computes. */
public interface NodeCallback {
  /** The function that ggml calls. */
  MemorySegment stub();

  /**
   * What the function does.
   *
   * @param address of the node
   * @param ask whether the node is still to be computed
   * @return of a node to be computed, whether it is wanted, so that this is called again when it
   *     has been; of one that has been computed, whether to go on
   */
  boolean visit(long address, boolean ask);

  /**
   * Told before a computation.
   *
   * @param causal whether each entry attends only to those before it
   */
  default void begin(boolean causal) {}

  /** Throws what was thrown while ggml called, since the last call of this. */
  void rethrow();
}
