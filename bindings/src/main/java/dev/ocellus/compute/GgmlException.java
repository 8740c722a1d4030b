package dev.ocellus.compute;

import dev.ocellus.OcellusException;

/** A graph operation that ggml would refuse, or a computation that it could not finish. */
public class GgmlException extends OcellusException {
  private static final long serialVersionUID = 1;

  public GgmlException(String message) {
    super(message);
  }
}
