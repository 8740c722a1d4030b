package dev.ocellus.nativelib;

import java.lang.foreign.SymbolLookup;
import org.jspecify.annotations.Nullable;

/**
 * The native ggml and llama.cpp libraries of this process: loaded once, never unloaded.
 *
 * <p>They are looked for in the directory that the property {@code ocellus.native.dir} or the
 * variable {@code OCELLUS_NATIVE_DIR} names, and else among the resources on the class or module
 * path, which are unpacked into the user's cache directory ({@code ocellus.cache.dir}). Libraries
 * of another llama.cpp version than {@value NativeVersion#TAG} are refused.
 *
 * <p>Loading takes two steps, so that the caller can install ggml's log callback between them:
 * {@link #load()} makes functions callable, {@link #loadBackends()} lets ggml choose the CPU and
 * GPU code. ggml prints to stderr what it logs before a callback is set, and the second step logs.
 *
 * <p>All methods may be called from any thread, any number of times; the first call does the work.
 */
public final class NativeLibraries {
  private static volatile NativeLoader.@Nullable Loaded loaded;
  private static volatile @Nullable BackendReport backends;

  private NativeLibraries() {}

  /**
   * Loads the libraries and checks their version. No backend is loaded: ggml has no device yet.
   *
   * @throws NativeLibraryException if there are none for this machine, or they are damaged, do not
   *     load or are of another version. A later call tries again.
   */
  public static NativeInfo load() {
    return loaded().info();
  }

  /** The functions and variables of libllama and ggml; {@linkplain #load() loads} if needed. */
  public static SymbolLookup symbols() {
    return loaded().symbols();
  }

  /** Which libraries are in use; {@linkplain #load() loads} if needed. */
  public static NativeInfo info() {
    return loaded().info();
  }

  /**
   * Lets ggml load the best of its CPU backends, and the GPU's if the libraries have one. If the
   * GPU cannot be used, everything runs on the CPU, after one warning that says why.
   *
   * @throws NativeLibraryException if not even a CPU backend can be loaded
   */
  public static BackendReport loadBackends() {
    BackendReport report = backends;
    if (report == null) {
      synchronized (NativeLibraries.class) {
        report = backends;
        if (report == null) {
          report = BackendLoader.load(loaded());
          backends = report;
        }
      }
    }
    return report;
  }

  private static NativeLoader.Loaded loaded() {
    NativeLoader.Loaded result = loaded;
    if (result == null) {
      synchronized (NativeLibraries.class) {
        result = loaded;
        if (result == null) {
          ClassLoader resources = NativeLibraries.class.getClassLoader();
          result = new NativeLoader(Settings.fromEnvironment(), Host.current(), resources).load();
          LargeBlocks.keepApart(System.getenv());
          loaded = result;
        }
      }
    }
    return result;
  }
}
