package dev.ocellus.vlm.sampling;

/** What DRY must know of a tokenizer to find where a text breaks. */
public interface TokenVocabulary {
  /** The number of tokens. */
  int size();

  /** The UTF-8 bytes that a token stands for, of special tokens too; may be part of a character. */
  byte[] bytes(int token);

  /** The tokens of a text, without added tokens and without parsing special ones. */
  int[] tokenize(byte[] utf8);
}
