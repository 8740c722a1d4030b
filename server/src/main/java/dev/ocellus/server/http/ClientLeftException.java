package dev.ocellus.server.http;

import java.io.IOException;

/** Nobody waits for the answer any more. */
public final class ClientLeftException extends IOException {
  private static final long serialVersionUID = 1;

  public ClientLeftException() {
    super("the client has left");
  }

  public ClientLeftException(Throwable cause) {
    super("the client has left", cause);
  }
}
