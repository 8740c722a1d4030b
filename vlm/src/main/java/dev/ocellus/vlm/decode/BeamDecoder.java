package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.sampling.TokenSearch;

/**
 * A prompt and several continuations of it, which are computed together: what beam search works
 * with. The prompt is decoded in {@link #prompt()}; then every {@link #advance} adds a token to
 * each beam.
 *
 * <p>For one thread at a time.
 */
public interface BeamDecoder extends AutoCloseable {
  /** Where the prompt goes. Nothing more is to be decoded in it once beams have begun. */
  KvSequence prompt();

  /**
   * Lets beams go on from those of the call before, and adds a token to each.
   *
   * @param parents for each beam the one that it goes on from; in the first call all are 0, as they
   *     go on from the prompt
   * @param tokens for each beam the token that it adds
   * @param position of these tokens
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  void advance(int[] parents, int[] tokens, int position, CancellationFlag flag);

  /** Logits of what follows a beam, valid until the next call; before the first, of beam 0 only. */
  float[] logits(int beam);

  /**
   * Lets beams go on as a search says, until it ends.
   *
   * @param position of the first token behind the prompt
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set; the search knows
   *     the best so far
   */
  default void follow(TokenSearch search, int position, CancellationFlag flag) {
    for (int at = position; search.next(this::logits); at++) {
      advance(search.parents(), search.tokens(), at, flag);
    }
  }

  /** Frees the prompt's sequence, too. */
  @Override
  void close();
}
