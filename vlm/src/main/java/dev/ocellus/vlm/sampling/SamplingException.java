package dev.ocellus.vlm.sampling;

import dev.ocellus.OcellusException;

/** Thrown when no token can be chosen because the logits hold no usable distribution. */
public final class SamplingException extends OcellusException {
  private static final long serialVersionUID = 1;

  private final int nanCount;
  private final int positiveInfinityCount;
  private final int negativeInfinityCount;

  private SamplingException(String message, int nan, int positive, int negative) {
    super(message);
    this.nanCount = nan;
    this.positiveInfinityCount = positive;
    this.negativeInfinityCount = negative;
  }

  /** A constraint rules out every token. */
  static SamplingException nothingAllowed() {
    return new SamplingException(
        "the grammar allows none of the vocabulary's tokens here: the vocabulary cannot write what it asks for, or a bias forbids it",
        0,
        0,
        0);
  }

  /** Counts what is wrong with the first {@code size} logits. */
  static SamplingException unusable(String where, float[] logits, int size) {
    int nan = 0;
    int positive = 0;
    int negative = 0;
    for (int i = 0; i < size; i++) {
      float x = logits[i];
      if (Float.isNaN(x)) {
        nan++;
      } else if (x == Float.POSITIVE_INFINITY) {
        positive++;
      } else if (x == Float.NEGATIVE_INFINITY) {
        negative++;
      }
    }
    String message =
        "%s: expected finite logits (-infinity is a mask that at least one token must escape), found %d NaN, %d +infinity and %d -infinity among %d; "
            .formatted(where, nan, positive, negative, size);
    String remedy =
        nan == 0 && positive == 0
            ? "loosen the mask, grammar, bias or penalty that rules out every token"
            : "the model's output is broken (damaged weights or a bad quantization), or a bias or penalty is too large";
    return new SamplingException(message + remedy, nan, positive, negative);
  }

  /** The number of logits that are NaN. */
  public int nanCount() {
    return nanCount;
  }

  /** The number of logits that are +∞. */
  public int positiveInfinityCount() {
    return positiveInfinityCount;
  }

  /** The number of logits that are −∞. */
  public int negativeInfinityCount() {
    return negativeInfinityCount;
  }
}
