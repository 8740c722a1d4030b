package dev.ocellus.vlm.decode;

/**
 * Beginnings of conversations that a pool of sequences keeps beside those that are computed.
 *
 * @param prefixes how many
 * @param places places of the context that they take; those that several share count for each
 */
public record KeptUse(int prefixes, int places) {
  /** Nothing is kept. */
  public static final KeptUse NONE = new KeptUse(0, 0);
}
