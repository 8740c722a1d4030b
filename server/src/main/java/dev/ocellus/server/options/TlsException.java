package dev.ocellus.server.options;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/** The certificate of a server or its key is not there, cannot be read, or cannot be used. */
public final class TlsException extends OcellusException {
  private static final long serialVersionUID = 1;

  public TlsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
