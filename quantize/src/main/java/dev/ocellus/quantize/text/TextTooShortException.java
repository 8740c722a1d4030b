package dev.ocellus.quantize.text;

import dev.ocellus.OcellusException;

/** A text has fewer tokens than a measurement needs. */
public final class TextTooShortException extends OcellusException {
  private static final long serialVersionUID = 1;

  TextTooShortException(String message) {
    super(message);
  }
}
