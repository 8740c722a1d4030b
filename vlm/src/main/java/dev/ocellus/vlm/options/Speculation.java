package dev.ocellus.vlm.options;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Guessing tokens of an answer so that the model can compute several at once. Every guess is
 * compared with what the model's own logits and the sampler choose, so the answer, its
 * probabilities and its seed mean the same as without; only rounding differs, because a batch of
 * tokens is added up in another order than a single one.
 *
 * @param lookup whether tokens are guessed from earlier text: what followed the last few tokens
 *     when they came before
 * @param draftModel a small model of the same vocabulary that guesses; null for none
 * @param draftMax most tokens guessed at a time
 * @param draftMinProbability how sure the small model has to be of a guess, 0 to 1
 */
public record Speculation(
    boolean lookup, @Nullable Path draftModel, int draftMax, float draftMinProbability) {
  /** Nothing is guessed. */
  public static final Speculation OFF = new Speculation(false, null, 8, 0.75f);

  private static final int MOST = 64;

  public Speculation {
    if (draftMax < 1 || draftMax > MOST) {
      throw new IllegalArgumentException(
          "tokens guessed at a time (--draft-max): expected 1 to %d, found %d"
              .formatted(MOST, draftMax));
    }
    if (!(draftMinProbability >= 0 && draftMinProbability <= 1)) {
      throw new IllegalArgumentException(
          "probability of a guess (--draft-p-min): expected 0 to 1, found " + draftMinProbability);
    }
    if (lookup && draftModel != null) {
      throw new IllegalArgumentException(
          "lookup and a draft model both guess tokens; use one of them");
    }
  }

  /** Guesses from earlier text. */
  public static Speculation byLookup() {
    return new Speculation(true, null, OFF.draftMax, OFF.draftMinProbability);
  }

  /** Guesses by a small model of the same vocabulary. */
  public static Speculation byModel(Path draftModel) {
    return new Speculation(false, draftModel, OFF.draftMax, OFF.draftMinProbability);
  }

  public Speculation withDraftMax(int draftMax) {
    return new Speculation(lookup, draftModel, draftMax, draftMinProbability);
  }

  public Speculation withMinProbability(float probability) {
    return new Speculation(lookup, draftModel, draftMax, probability);
  }

  /** Most tokens guessed at a time; 0 if nothing is. */
  public int most() {
    return lookup || draftModel != null ? draftMax : 0;
  }
}
