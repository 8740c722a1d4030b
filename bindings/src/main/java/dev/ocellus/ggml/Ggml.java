package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.nativelib.NativeLibraries;
import org.jspecify.annotations.Nullable;

/** The ggml runtime of this process: loaded once, on first use, and never unloaded. */
public final class Ggml {
  private static volatile boolean initialized;
  private static @Nullable RuntimeException failure;

  private Ggml() {}

  /**
   * Loads the native libraries and their backends. Calling it again costs nothing.
   *
   * @throws dev.ocellus.OcellusException if the libraries are missing, damaged, of another version,
   *     or of a platform that is not this one; every later call throws the same again
   */
  public static void initialize() {
    if (!initialized) {
      initializeOnce();
    }
  }

  private static synchronized void initializeOnce() {
    if (initialized) {
      return;
    }
    if (failure != null) {
      throw failure;
    }
    try {
      NativeLibraries.load();
      NativeLog.install();
      AbortGuard.install();
      NativeLibraries.loadBackends();
      ggml_h.llama_backend_init();
      initialized = true;
    } catch (RuntimeException e) {
      failure = e;
      throw e;
    }
  }
}
