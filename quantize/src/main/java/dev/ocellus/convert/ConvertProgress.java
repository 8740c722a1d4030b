package dev.ocellus.convert;

import java.nio.file.Path;

/** Is told how far a conversion is, and can end it. */
@FunctionalInterface
public interface ConvertProgress {
  /** Says nothing and never ends it. */
  ConvertProgress NONE = (file, share) -> true;

  /**
   * Called often while a file is written.
   *
   * @param share from 0 to 1
   * @return false to end the conversion, which then leaves no file behind
   */
  boolean report(Path file, double share);
}
