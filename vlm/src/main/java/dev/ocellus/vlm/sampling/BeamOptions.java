package dev.ocellus.vlm.sampling;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;

/**
 * Beam search, and what the reference changes logits by while it searches, with the names and
 * meanings of {@code GenerationConfig} of transformers. With one beam it is greedy decoding with
 * these changes.
 *
 * @param numBeams answers that are followed at the same time, 1 to 64
 * @param lengthPenalty exponent of the length by which the score of a whole answer is divided:
 *     above 0 for longer answers, below for shorter ones
 * @param earlyStopping when the search ends
 * @param repetitionPenalty what the logits of tokens that occurred already are divided by, or
 *     multiplied with where they are below 0; 1 for nothing
 * @param noRepeatNgramSize no sequence of so many tokens comes twice; 0 for no limit
 * @param minLength tokens before which the answer does not end, with those of the prompt (of an
 *     encoder-decoder: with the one that the decoder begins with); 0 for no limit
 * @param minNewTokens the same without them
 * @param maxLength most tokens with those of the prompt, where the answer has no limit of its own;
 *     0 for no limit
 * @param forcedBosToken what an encoder-decoder writes first; {@link #NONE} for what it likes
 * @param forcedEosToken what is written last where the length ends the answer; likewise
 */
public record BeamOptions(
    int numBeams,
    double lengthPenalty,
    EarlyStopping earlyStopping,
    float repetitionPenalty,
    int noRepeatNgramSize,
    int minLength,
    int minNewTokens,
    int maxLength,
    int forcedBosToken,
    int forcedEosToken) {
  /** What stands for no token. */
  public static final int NONE = -1;

  /** Most beams. */
  public static final int MAX_BEAMS = 64;

  /** When a search with whole answers for all beams ends. */
  public enum EarlyStopping {
    /** When no beam is likely to become better than the worst of them, by its present length. */
    NO,
    /** At once. */
    YES,
    /** When no beam can become better than the worst of them, whatever its length. */
    NEVER
  }

  /**
   * @throws InvalidSettingException if a value is out of range
   */
  public BeamOptions {
    require(numBeams >= 1 && numBeams <= MAX_BEAMS, "beams", "1 to " + MAX_BEAMS, "" + numBeams);
    require(
        Double.isFinite(lengthPenalty), "length penalty", "a finite number", "" + lengthPenalty);
    require(
        repetitionPenalty > 0 && Float.isFinite(repetitionPenalty),
        "repetition penalty",
        "a finite number above 0",
        "" + repetitionPenalty);
    require(
        noRepeatNgramSize >= 0, "size of n-grams", "0 (no limit) or more", "" + noRepeatNgramSize);
    require(minLength >= 0, "min. length", "0 (no limit) or more", "" + minLength);
    require(minNewTokens >= 0, "min. new tokens", "0 (no limit) or more", "" + minNewTokens);
    require(maxLength >= 0, "max. length", "0 (no limit) or more", "" + maxLength);
  }

  private static void require(boolean ok, String what, String expected, String found) {
    if (!ok) {
      throw new InvalidSettingException(
          "%s: expected %s, found %s".formatted(what, expected, found), Setting.BEAMS);
    }
  }

  /** Beam search with nothing else changed. */
  public static BeamOptions of(int numBeams) {
    return new BeamOptions(numBeams, 1, EarlyStopping.NO, 1, 0, 0, 0, 0, NONE, NONE);
  }

  /** Whether it is more than plain greedy decoding. */
  public boolean changesGreedy() {
    return !withMaxLength(0).equals(of(1));
  }

  public BeamOptions withNumBeams(int value) {
    return new BeamOptions(
        value,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withLengthPenalty(double value) {
    return new BeamOptions(
        numBeams,
        value,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withEarlyStopping(EarlyStopping value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        value,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withRepetitionPenalty(float value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        value,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withNoRepeatNgramSize(int value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        value,
        minLength,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withMinLength(int value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        value,
        minNewTokens,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withMinNewTokens(int value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        value,
        maxLength,
        forcedBosToken,
        forcedEosToken);
  }

  public BeamOptions withMaxLength(int value) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        value,
        forcedBosToken,
        forcedEosToken);
  }

  /** With the tokens that are written first and last; {@link #NONE} for any. */
  public BeamOptions withForcedTokens(int first, int last) {
    return new BeamOptions(
        numBeams,
        lengthPenalty,
        earlyStopping,
        repetitionPenalty,
        noRepeatNgramSize,
        minLength,
        minNewTokens,
        maxLength,
        first,
        last);
  }
}
