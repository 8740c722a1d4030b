package dev.ocellus.spark;

/**
 * A driver or an executor runs on a Java that is too old. Not one of Ocellus' other exceptions, as
 * their classes cannot be loaded there.
 */
public final class UnsupportedJavaException extends Exception {
  private static final long serialVersionUID = 1;

  UnsupportedJavaException(String message) {
    super(message);
  }
}
