package dev.ocellus.llama;

import dev.ocellus.OcellusException;

/** Keys and values that are not those of the sequence that they are said to be of. */
public class StateFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  public StateFormatException(String message) {
    super(message);
  }
}
