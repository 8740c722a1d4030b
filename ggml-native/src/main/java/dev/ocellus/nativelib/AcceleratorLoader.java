package dev.ocellus.nativelib;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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

  /** Whether there is such a library for this machine, or a directory that may have one. */
  public static boolean isExpected(AcceleratorLibrary library) {
    Host host = Host.current();
    return explicit().isPresent()
        || (host.os().isPresent()
            && host.arch().isPresent()
            && !host.musl()
            && library.existsFor(host.os().get(), host.arch().get()));
  }

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
                    "%s is not bundled. Add %s.".formatted(library.id(), Artifacts.of(id))));
    return new NativeCache(Settings.fromEnvironment().cache())
        .unpacked(bundle.manifest(), bundle::open);
  }

  private static Loaded open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new NativeLibraryException("there is no file " + file);
    }
    if (!looksLikeLibrary(file)) { // where the JVM would warn of what the linker says in vain
      throw new NativeLibraryException("cannot load " + file + ": it is no library");
    }
    try {
      return new Loaded(file, SymbolLookup.libraryLookup(file, Arena.global()));
    } catch (IllegalArgumentException e) {
      throw new NativeLibraryException(
          "cannot load %s: %s".formatted(file, LoadFailure.of(file).orElse("no reason given")), e);
    }
  }

  /** Whether a file has the first bytes of libraries of Linux; elsewhere the linker may tell. */
  private static boolean looksLikeLibrary(Path file) {
    if (!Host.current().os().equals(Optional.of(Os.LINUX))) {
      return true;
    }
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(4), new byte[] {0x7f, 'E', 'L', 'F'});
    } catch (IOException e) {
      throw new NativeLibraryException("cannot read " + file + ": " + e, e);
    }
  }
}
