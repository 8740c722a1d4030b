package dev.ocellus.vlm.chat;

/**
 * What speculative decoding gained.
 *
 * @param drafted draft tokens that were decoded
 * @param accepted those of them that were accepted, and so are part of the answer
 */
public record DraftUse(int drafted, int accepted) {
  /** No draft tokens. */
  public static final DraftUse NONE = new DraftUse(0, 0);
}
