package dev.ocellus.vlm.sampling;

import java.util.OptionalLong;

/**
 * One step on the way from logits to a token: it drops, reweights or reorders candidates, or
 * selects one of them.
 *
 * <p>A sampler that remembers earlier tokens overrides {@link #accept} and {@link #reset}. Samplers
 * are confined to one thread at a time.
 */
@FunctionalInterface
public interface Sampler {
  /** Changes the candidates in place. */
  void apply(Candidates candidates);

  /** Takes note of a token that became part of the text. */
  default void accept(int token) {}

  /**
   * Returns to the state in which the sampler was made: no history, random numbers from the start.
   */
  default void reset() {}

  /** The seed of the random numbers in use (0 to 2³²−2), if this sampler draws any. */
  default OptionalLong seed() {
    return OptionalLong.empty();
  }
}
