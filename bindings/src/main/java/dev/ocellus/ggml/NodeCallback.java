package dev.ocellus.ggml;

import java.lang.foreign.MemorySegment;

/** What ggml's scheduler asks about every node while it computes. */
public interface NodeCallback {
  /** The function that ggml calls. */
  MemorySegment stub();

  /** Throws what was thrown while ggml called, since the last call of this. */
  void rethrow();
}
