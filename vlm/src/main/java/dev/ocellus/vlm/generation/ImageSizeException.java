package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;

/** An image or a number of codes that a model cannot take. */
public class ImageSizeException extends OcellusException {
  private static final long serialVersionUID = 1;

  ImageSizeException(String message) {
    super(message);
  }
}
