package dev.ocellus.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Supplies the data of one tensor when {@link GgufWriter} comes to it, in as many pieces. */
@FunctionalInterface
public interface TensorSource {
  /**
   * Gives all bytes of the tensor to {@code sink}. Called once per write, in the order in which the
   * tensors were added.
   */
  void writeTo(Sink sink) throws IOException;

  /** Takes the bytes. */
  @FunctionalInterface
  interface Sink {
    /** Appends a piece of any size; its memory may be used again afterwards. */
    void write(MemorySegment bytes) throws IOException;
  }
}
