package dev.ocellus.vlm.chat;

/**
 * What speculative decoding gained.
 *
 * @param drafted tokens that were guessed
 * @param accepted those of them that became part of the answer
 */
public record DraftUse(int drafted, int accepted) {
  /** Nothing was guessed. */
  public static final DraftUse NONE = new DraftUse(0, 0);
}
