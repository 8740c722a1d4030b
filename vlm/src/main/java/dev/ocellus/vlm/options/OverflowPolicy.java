package dev.ocellus.vlm.options;

/** What to do when a conversation does not fit the context any more. */
public enum OverflowPolicy {
  /** Refuse with a {@link dev.ocellus.llama.ContextOverflowException}; nothing is forgotten. */
  ERROR,
  /**
   * Forget the oldest turns, each a question with its images and answers, until half of the context
   * is free; system messages and the last question stay. The rest is computed again, so the model
   * answers exactly as if the forgotten turns had never been said.
   */
  EVICT
}
