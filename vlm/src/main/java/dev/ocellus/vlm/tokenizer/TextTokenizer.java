package dev.ocellus.vlm.tokenizer;

/** From text to the ids that a text tower looks up. Thread-safe. */
public interface TextTokenizer {
  /**
   * The ids of a text alone, with nothing added at its ends and nothing cut off.
   *
   * @param text any text; the empty one has no ids
   */
  int[] encode(String text);

  /** The token that texts begin with, or -1 where the tokenizer has none. */
  default int bos() {
    return -1;
  }

  /** The token that texts end with, or -1 where the tokenizer has none. */
  default int eos() {
    return -1;
  }

  /**
   * Whether the end token, where a text spells it out as its last one, is not added again: as the
   * reference's tokenizers in Python do, and those of the tokenizers library do not.
   */
  default boolean mayEndItself() {
    return false;
  }

  /** Ids are from 0 to this number minus 1. */
  int size();
}
