package dev.ocellus.vlm.sampling;

/**
 * What the tokens of one answer are constrained to, such as a grammar. Confined to one thread at a
 * time.
 */
public interface TokenConstraint {
  /** No limit on the tokens of an answer. */
  int UNLIMITED = -1;

  /**
   * Tells how many tokens may still come, before each choice; {@link #UNLIMITED} if nothing limits
   * them but the model. A constraint uses it to bring the text to a valid end in time.
   */
  default void setTokensLeft(int tokens) {}

  /** Whether a token may come next. */
  boolean allows(int token);

  /** Rules out (logit −∞) the candidates that may not come next. */
  void mask(Candidates candidates);

  /**
   * Like {@link #mask}, but may leave candidates that only the limit on tokens forbids, where
   * looking for them takes long. Ask {@link #allows} about what is chosen then.
   */
  default void maskLoosely(Candidates candidates) {
    mask(candidates);
  }

  /** Takes note of a token that became part of the answer. */
  void accept(int token);

  /** Whether the answer may end here. */
  boolean isComplete();

  /** Whether nothing but the end of the answer may follow. */
  boolean mustEnd();

  /** Returns to the beginning of an answer. */
  void reset();
}
