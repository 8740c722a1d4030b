package dev.ocellus.vlm.prompt;

import dev.ocellus.OcellusException;

/** Messages that cannot be made into a prompt for this model. */
public class PromptException extends OcellusException {
  private static final long serialVersionUID = 1;

  public PromptException(String message) {
    super(message);
  }
}
