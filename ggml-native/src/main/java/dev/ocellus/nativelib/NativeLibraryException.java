package dev.ocellus.nativelib;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/**
 * The native ggml and llama.cpp libraries are missing, damaged, of the wrong version, or cannot run
 * on this machine. The message names what was looked for where, and the remedy.
 */
public final class NativeLibraryException extends OcellusException {
  private static final long serialVersionUID = 1;

  public NativeLibraryException(String message) {
    super(message);
  }

  public NativeLibraryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
