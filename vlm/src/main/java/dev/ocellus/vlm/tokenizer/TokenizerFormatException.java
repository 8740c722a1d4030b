package dev.ocellus.vlm.tokenizer;

import dev.ocellus.OcellusException;

/** Data of a tokenizer that cannot be: incomplete, damaged, or of a kind that is not known. */
public class TokenizerFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** What is wrong with a key under {@code tokenizer.ggml.}. */
  public TokenizerFormatException(String key, String expected, String found) {
    super(
        "tokenizer.ggml.%s: expected %s, found %s. The file is damaged or was converted wrongly."
            .formatted(key, expected, found));
  }
}
