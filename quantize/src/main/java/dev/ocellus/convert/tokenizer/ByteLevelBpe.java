package dev.ocellus.convert.tokenizer;

/** The characters by which byte-level BPE writes bytes that do not print. */
final class ByteLevelBpe {
  /** How a space is written: U+0120. */
  static final char SPACE = '\u0120';

  private ByteLevelBpe() {}
}
