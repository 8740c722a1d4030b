package dev.ocellus.quantize.measure;

import dev.ocellus.OcellusException;

/** Two models do not have the same tokens, so their predictions cannot be compared. */
public final class VocabularyMismatchException extends OcellusException {
  private static final long serialVersionUID = 1;

  VocabularyMismatchException(String message) {
    super(message);
  }
}
