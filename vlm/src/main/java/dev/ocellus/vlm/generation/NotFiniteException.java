package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;

/** A model computed numbers that are none, so its weights hold such, or ones that are too large. */
public class NotFiniteException extends OcellusException {
  private static final long serialVersionUID = 1;

  NotFiniteException(String message) {
    super(message);
  }
}
