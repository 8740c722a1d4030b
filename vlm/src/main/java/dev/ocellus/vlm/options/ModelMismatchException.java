package dev.ocellus.vlm.options;

import dev.ocellus.OcellusException;

/** A text model and an image encoder that do not belong together. */
public class ModelMismatchException extends OcellusException {
  private static final long serialVersionUID = 1;

  public ModelMismatchException(String message) {
    super(message);
  }
}
