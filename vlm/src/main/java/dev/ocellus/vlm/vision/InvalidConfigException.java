package dev.ocellus.vlm.vision;

import dev.ocellus.OcellusException;

/** Metadata of a model file that no model of its architecture can have. */
public class InvalidConfigException extends OcellusException {
  private static final long serialVersionUID = 1;

  public InvalidConfigException(String message) {
    super(message);
  }
}
