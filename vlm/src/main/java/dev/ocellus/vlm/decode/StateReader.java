package dev.ocellus.vlm.decode;

import java.io.IOException;

/** Reads saved keys and values into a sequence. */
@FunctionalInterface
public interface StateReader {
  /**
   * Reads them.
   *
   * @return false if they do not fit the sequence, which is empty then
   */
  boolean read() throws IOException;
}
