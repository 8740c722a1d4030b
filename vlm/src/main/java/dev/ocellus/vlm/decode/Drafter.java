package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;

/** Guesses the next tokens of a text. For one thread at a time. */
public interface Drafter extends AutoCloseable {
  /**
   * Guesses what follows.
   *
   * @param text tokens so far, -1 at rows of images; the first {@code length} of them count
   * @param most most tokens to guess
   * @return none where it has no good guess
   */
  int[] guess(int[] text, int length, int most, CancellationFlag flag);

  @Override
  default void close() {}
}
