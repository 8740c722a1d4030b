package dev.ocellus.server.http;

import java.io.IOException;

/** A request's body is longer than allowed. */
public final class BodyTooLargeException extends IOException {
  private static final long serialVersionUID = 1;

  public BodyTooLargeException(int maxBytes) {
    super("the body of the request has more than the %d bytes allowed".formatted(maxBytes));
  }
}
