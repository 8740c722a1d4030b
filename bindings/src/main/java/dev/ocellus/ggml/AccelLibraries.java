package dev.ocellus.ggml;

import dev.ocellus.accel.Conversions;
import dev.ocellus.accel.ProductKernels;
import dev.ocellus.accel.ProductRunner;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The libraries of an {@link Accel}, which are there from the beginning, or loaded when they are
 * first needed. Thread-safe.
 */
final class AccelLibraries {
  /**
   * Loaded ones.
   *
   * @param kernels what multiplies
   * @param conversions of numbers
   */
  record Loaded(ProductKernels kernels, Conversions conversions) {
    ProductRunner runner(int nThreads) {
      return kernels.runner(conversions, nThreads);
    }
  }

  private final Supplier<Optional<Loaded>> loader;
  private volatile @Nullable Optional<Loaded> loaded;

  private AccelLibraries(Supplier<Optional<Loaded>> loader) {
    this.loader = loader;
  }

  static AccelLibraries of(Loaded loaded) {
    var libraries = new AccelLibraries(() -> Optional.of(loaded));
    libraries.loaded = Optional.of(loaded);
    return libraries;
  }

  /**
   * Libraries that are loaded later.
   *
   * @param loader empty where they cannot be used; not called again then
   */
  static AccelLibraries later(Supplier<Optional<Loaded>> loader) {
    return new AccelLibraries(loader);
  }

  /** Whether they are there, which takes no memory to tell. */
  boolean areLoaded() {
    Optional<Loaded> known = loaded;
    return known != null && known.isPresent();
  }

  /** Loads them if need be; empty where they cannot be used. */
  Optional<Loaded> get() {
    Optional<Loaded> known = loaded;
    return known == null ? load() : known;
  }

  private synchronized Optional<Loaded> load() {
    Optional<Loaded> known = loaded;
    if (known == null) {
      try {
        known = loader.get();
      } catch (RuntimeException | Error e) { // ggml asks for them, and can be told nothing else
        System.getLogger("dev.ocellus.accel")
            .log(Level.ERROR, "the libraries of matrix products cannot be loaded", e);
        known = Optional.empty();
      }
      loaded = known;
    }
    return known;
  }
}
