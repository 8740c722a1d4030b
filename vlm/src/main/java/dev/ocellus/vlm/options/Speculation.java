package dev.ocellus.vlm.options;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Speculative decoding: draft tokens are proposed, so that the model can compute several at once.
 * Each is compared with what the model's own logits and the sampler choose, so the answer, its
 * probabilities and its seed mean the same as without; only rounding differs, because a batch of
 * tokens is added up in another order than a single one.
 *
 * @param lookup whether draft tokens come from earlier text: what followed the last few tokens when
 *     they came before
 * @param draftModel a small model of the same vocabulary that proposes them; null for none
 * @param draftMax max. number of draft tokens at a time
 * @param draftMinProbability how sure the draft model has to be of a token, 0 to 1
 */
public record Speculation(
    boolean lookup, @Nullable Path draftModel, int draftMax, float draftMinProbability) {
  /** No draft tokens. */
  public static final Speculation OFF = new Speculation(false, null, 8, 0.75f);

  private static final int MOST = 64;

  public Speculation {
    if (draftMax < 1 || draftMax > MOST) {
      throw new InvalidSettingException(
          "draft tokens at a time: expected 1 to %d, found %d".formatted(MOST, draftMax),
          Setting.DRAFT_MAX);
    }
    if (!(draftMinProbability >= 0 && draftMinProbability <= 1)) {
      throw new InvalidSettingException(
          "minimum probability of a draft token: expected 0 to 1, found " + draftMinProbability,
          Setting.DRAFT_MIN_PROBABILITY);
    }
    if (lookup && draftModel != null) {
      throw new InvalidSettingException(
          "lookup and a draft model both draft tokens; use one of them", Setting.DRAFT_MODEL);
    }
  }

  /** Draft tokens from earlier text (prompt lookup). */
  public static Speculation byLookup() {
    return new Speculation(true, null, OFF.draftMax, OFF.draftMinProbability);
  }

  /** Draft tokens of a small model of the same vocabulary. */
  public static Speculation byModel(Path draftModel) {
    return new Speculation(false, draftModel, OFF.draftMax, OFF.draftMinProbability);
  }

  public Speculation withDraftMax(int draftMax) {
    return new Speculation(lookup, draftModel, draftMax, draftMinProbability);
  }

  public Speculation withMinProbability(float probability) {
    return new Speculation(lookup, draftModel, draftMax, probability);
  }

  /** Max. number of draft tokens at a time; 0 without speculative decoding. */
  public int maxDraftTokens() {
    return lookup || draftModel != null ? draftMax : 0;
  }
}
