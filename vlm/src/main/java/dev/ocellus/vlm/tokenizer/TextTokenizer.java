package dev.ocellus.vlm.tokenizer;

/** From text to the ids that a text tower looks up. Thread-safe. */
public interface TextTokenizer {
  /**
   * The ids of a text alone, with nothing added at its ends and nothing cut off.
   *
   * @param text any text; the empty one has no ids
   */
  int[] encode(String text);

  /** Ids are from 0 to this number minus 1. */
  int size();
}
