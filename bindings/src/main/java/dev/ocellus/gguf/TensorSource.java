package dev.ocellus.gguf;

import dev.ocellus.io.Memory;
import java.io.IOException;

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
    void write(Memory bytes) throws IOException;
  }
}
