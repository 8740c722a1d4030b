package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.nativelib.NativeLibraryException;
import dev.ocellus.nativelib.NativeVersion;
import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The generated classes that are in use, all initialized before anything is computed.
 *
 * <p>Each function of ggml has a class of its own, which looks it up and links it when it is first
 * called; those that take only pointers and integers share {@link WordCalls}. Where that fails, for
 * want of heap or of stack, the JVM never tries it again, and the process could not use the
 * function as long as it lives. So it is done once, early, on a thread with a large stack.
 */
final class Bindings {
  private static final String PACKAGE = "dev.ocellus.ffi.";
  private static final int SHOWN = 5;

  /** What a background thread does, as it takes some hundredths of a second. */
  private static final FutureTask<Boolean> INITIALIZATION =
      new FutureTask<>(Bindings::initializeAll, true);

  private Bindings() {}

  /**
   * Checks that the loaded libraries have every function that is called.
   *
   * @throws NativeLibraryException naming those that are missing
   */
  static void requireFunctions() {
    requireFunctions(NativeLibraries.symbols(), NativeLibraries.info().directory().toString());
  }

  static void requireFunctions(SymbolLookup symbols, String directory) {
    List<String> missing =
        UsedBindings.FUNCTIONS.stream().filter(f -> symbols.find(f).isEmpty()).toList();
    if (!missing.isEmpty()) {
      throw new NativeLibraryException(
          "the libraries in %s say that they are llama.cpp %s, but they lack %d of the functions that it has: %s%s. They are another project's, or were changed. Build llama.cpp at the tag %s, or use the bundled libraries."
              .formatted(
                  directory,
                  NativeVersion.LLAMA,
                  missing.size(),
                  String.join(", ", missing.subList(0, Math.min(SHOWN, missing.size()))),
                  missing.size() > SHOWN ? ", …" : "",
                  NativeVersion.TAG));
    }
  }

  /** Begins to initialize in the background. */
  static void begin() {
    Thread thread = new Thread(null, INITIALIZATION, "ocellus-bindings", 8L << 20);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Waits until everything is initialized.
   *
   * @throws NativeLibraryException if it failed, now and whenever this is called again
   */
  static void await() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          INITIALIZATION.get();
          return;
        } catch (InterruptedException e) { // it is never long
          interrupted = true;
        } catch (ExecutionException e) {
          throw new NativeLibraryException(
              "the bindings of the native libraries could not be initialized (%s), and the JVM does not try again. Start the process again, with more heap (-Xmx) if that was the cause."
                  .formatted(e.getCause()),
              e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void initializeAll() {
    WordCalls.linkAll();
    UsedBindings.CLASSES.forEach(Bindings::initialize);
    UsedBindings.FUNCTIONS.forEach(f -> initialize("ggml_h$" + f));
  }

  private static void initialize(String name) {
    try {
      Class<?> type = Class.forName(PACKAGE + name, true, Bindings.class.getClassLoader());
      if (!type.equals(ggml_h.class)) { // its functions are listed one by one
        for (Class<?> nested : type.getDeclaredClasses()) {
          initialize(nested.getName().substring(PACKAGE.length()));
        }
      }
    } catch (ClassNotFoundException e) {
      throw new AssertionError("no bindings of " + name, e);
    }
  }
}
