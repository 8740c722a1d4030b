package dev.ocellus.vlm.session;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/** A file that is no saved session, is damaged, or is of a version that is not known. */
public class SessionFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  public SessionFormatException(String message) {
    super(message);
  }

  public SessionFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
