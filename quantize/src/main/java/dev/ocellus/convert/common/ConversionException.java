package dev.ocellus.convert.common;

import dev.ocellus.OcellusException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A checkpoint cannot be converted: something in it is missing, damaged, or of an unknown kind. */
public final class ConversionException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** An error that is told in one sentence or two. */
  public ConversionException(String message) {
    super(message, null);
  }

  /** An error with the exception that it comes from. */
  public ConversionException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /**
   * An error at a place in a file.
   *
   * @param remedy what to do, as a sentence
   */
  public static ConversionException at(
      Path file, String what, String expected, String found, String remedy) {
    return new ConversionException(
        "%s: %s: expected %s, found %s. %s".formatted(file, what, expected, found, remedy));
  }
}
