package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.nativelib.NativeLibraryException;
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

  /**
   * {@linkplain #initialize() Initializes}, and waits until all bindings are, so that nothing is
   * linked any more when memory has become scarce. Called before a model is loaded.
   *
   * @throws NativeLibraryException if that failed
   */
  public static void initializeFully() {
    initialize();
    Bindings.await();
  }

  private static synchronized void initializeOnce() {
    if (initialized) {
      return;
    }
    if (failure != null) {
      throw failure;
    }
    try {
      // whatever stack the caller has left, and even if it is interrupted, which closes files
      NativeStack.runOnOwnThread(Ggml::load);
      Bindings.begin();
      initialized = true;
    } catch (RuntimeException e) {
      failure = e;
      throw e;
    } catch (Error e) { // some class could not be initialized, and never will be
      failure =
          new NativeLibraryException(
              "the native libraries could not be brought into use (%s), and the JVM does not try again. Start the process again, with more heap (-Xmx) if that was the cause."
                  .formatted(e),
              e);
      throw e;
    }
  }

  private static void load() {
    NativeLibraries.load();
    Bindings.requireFunctions();
    NativeLog.install();
    AbortGuard.install();
    NativeLibraries.loadBackends();
    ggml_h.llama_backend_init();
  }
}
