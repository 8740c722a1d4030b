package dev.ocellus.vlm;

/**
 * Told the progress of an answer, on the thread that generates it. An exception that it throws
 * stops the answer and reaches the caller.
 */
public interface AnswerListener {
  /** Does nothing. */
  AnswerListener NONE = text -> {};

  /** More text of the answer: whole characters only, and never a part of a stop string. */
  void onText(String text);

  /** A share of the prompt has been computed, 0 to 1. */
  default void onPrefill(double share) {}
}
