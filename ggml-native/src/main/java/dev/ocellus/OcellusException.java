package dev.ocellus;

import org.jspecify.annotations.Nullable;

/**
 * Root of every exception that Ocellus throws of its own accord.
 *
 * <p>A message says what failed, where, what was expected, what was found, and what to do. Misuse
 * of an API is an {@link IllegalArgumentException} or {@link IllegalStateException} instead, and a
 * file that cannot be read is an {@link java.io.IOException}.
 */
public class OcellusException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public OcellusException(String message) {
    super(message);
  }

  public OcellusException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
