package dev.ocellus.vlm.template.text;

import dev.ocellus.OcellusException;

/** A text that outgrows the limit of its {@link TextBuilder}. */
public final class TextTooLongException extends OcellusException {
  private static final long serialVersionUID = 1;

  TextTooLongException(int maxLength) {
    super("a text longer than " + maxLength + " characters");
  }
}
