package dev.ocellus.nativelib;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds and loads libraries of matrix products: from the directory that {@value #PROPERTY} or
 * {@value #VARIABLE} names, else from the resources on the class or module path, which are checked
 * and unpacked as ggml's own libraries are.
 */
public final class AcceleratorLoader {
  private static final Logger LOG = System.getLogger("dev.ocellus.nativelib");
  private static final String PROPERTY = "ocellus.accel.dir";
  private static final String VARIABLE = "OCELLUS_ACCEL_DIR";

  /**
   * A loaded library.
   *
   * @param file the library itself
   */
  public record Loaded(Path file, SymbolLookup symbols) {}

  private AcceleratorLoader() {}

  /**
   * Loads a library.
   *
   * @throws NativeLibraryException if there is none for this machine, or it is damaged or does not
   *     load; the message says why
   */
  public static Loaded load(AcceleratorLibrary library) {
    return load(library, explicit());
  }

  static Loaded load(AcceleratorLibrary library, Optional<Path> explicit) {
    Host host = Host.current();
    if (host.os().isEmpty() || host.arch().isEmpty() || host.musl()) {
      throw new NativeLibraryException(
          "there is no %s for %s".formatted(library.id(), host.description()));
    }
    Os os = host.os().get();
    Path directory =
        explicit.orElseGet(() -> unpacked(library, library.bundle(os, host.arch().get())));
    Loaded loaded = null;
    for (String name : library.files(os)) {
      loaded = open(directory.resolve(name));
    }
    if (loaded == null) {
      throw new AssertionError(library);
    }
    LOG.log(Level.DEBUG, "loaded {0}", loaded.file());
    return loaded;
  }

  private static Optional<Path> explicit() {
    return Optional.ofNullable(System.getProperty(PROPERTY))
        .or(() -> Optional.ofNullable(System.getenv(VARIABLE)))
        .filter(value -> !value.isBlank())
        .map(value -> Path.of(value).toAbsolutePath());
  }

  private static Path unpacked(AcceleratorLibrary library, String id) {
    Bundle bundle =
        Bundle.find(AcceleratorLoader.class.getClassLoader(), id)
            .orElseThrow(() ->
                new NativeLibraryException(
                    "%s is not bundled. Add the resource jar of this platform (ocellus-ggml-native, classifier natives-%s)."
                        .formatted(library.id(), id)));
    return new NativeCache(Settings.fromEnvironment().cache())
        .unpacked(bundle.manifest(), bundle::open);
  }

  private static Loaded open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new NativeLibraryException("there is no file " + file);
    }
    try {
      return new Loaded(file, SymbolLookup.libraryLookup(file, Arena.global()));
    } catch (IllegalArgumentException e) {
      throw new NativeLibraryException(
          "cannot load %s: %s".formatted(file, LoadFailure.of(file).orElse("no reason given")), e);
    }
  }
}
