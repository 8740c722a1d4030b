package dev.ocellus.vlm.vision;

import dev.ocellus.OcellusException;

/** A message has something that this model cannot take, such as a video. */
public class UnsupportedContentException extends OcellusException {
  private static final long serialVersionUID = 1;

  public UnsupportedContentException(String message) {
    super(message);
  }
}
