package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;

/**
 * Proposes draft tokens for speculative decoding: the next tokens of a text, which the model then
 * checks together. For one thread at a time.
 */
public interface Drafter extends AutoCloseable {
  /**
   * Proposes what follows.
   *
   * @param text tokens so far, -1 at image embeddings; the first {@code length} of them count
   * @param max max. number of draft tokens
   * @return none where no proposal is likely enough
   */
  int[] draft(int[] text, int length, int max, CancellationFlag flag);

  @Override
  default void close() {}
}
