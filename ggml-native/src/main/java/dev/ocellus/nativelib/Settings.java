package dev.ocellus.nativelib;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the user asked for.
 *
 * @param explicit the directory of the user's own libraries
 * @param cache where bundled libraries are unpacked
 * @param gpu the bundled build to use; empty to take a GPU build before the CPU's
 */
record Settings(Optional<Explicit> explicit, Path cache, Optional<Gpu> gpu) {
  static final String DIRECTORY_PROPERTY = "ocellus.native.dir";
  static final String DIRECTORY_VARIABLE = "OCELLUS_NATIVE_DIR";
  static final String CACHE_PROPERTY = "ocellus.cache.dir";
  static final String VARIANT_PROPERTY = "ocellus.native.variant";

  /** A directory, and the setting that named it. */
  record Explicit(Path directory, String origin) {}

  static Settings fromEnvironment() {
    return of(System::getProperty, System.getenv(), Host.current().os());
  }

  static Settings of(
      Function<String, @Nullable String> property,
      Map<String, String> environment,
      Optional<Os> os) {
    Optional<Explicit> explicit =
        text(property.apply(DIRECTORY_PROPERTY))
            .map(value -> explicit(value, "-D" + DIRECTORY_PROPERTY))
            .or(() ->
                text(environment.get(DIRECTORY_VARIABLE))
                    .map(value -> explicit(value, DIRECTORY_VARIABLE)));
    Path cache =
        text(property.apply(CACHE_PROPERTY))
            .map(value -> path(value, "-D" + CACHE_PROPERTY))
            .orElseGet(() -> userCache(property, environment, os).resolve("ocellus"));
    return new Settings(
        explicit,
        cache.resolve("natives"),
        text(property.apply(VARIANT_PROPERTY)).map(Settings::gpu));
  }

  /** The directory for caches that each system's conventions name. */
  private static Path userCache(
      Function<String, @Nullable String> property,
      Map<String, String> environment,
      Optional<Os> os) {
    Path home = Path.of(text(property.apply("user.home")).orElse("."));
    if (os.equals(Optional.of(Os.WINDOWS))) {
      return absolute(environment.get("LOCALAPPDATA"))
          .orElse(home.resolve("AppData").resolve("Local"));
    }
    if (os.equals(Optional.of(Os.MAC))) {
      return home.resolve("Library").resolve("Caches");
    }
    // The XDG base directory specification says that a relative path is to be ignored.
    return absolute(environment.get("XDG_CACHE_HOME")).orElse(home.resolve(".cache"));
  }

  private static Optional<Path> absolute(@Nullable String value) {
    try {
      return text(value).map(Path::of).filter(Path::isAbsolute);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private static Explicit explicit(String value, String origin) {
    return new Explicit(path(value, origin), origin);
  }

  private static Path path(String value, String origin) {
    try {
      return Path.of(value).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw new NativeLibraryException(origin + " is not a path: \"" + value + "\"", e);
    }
  }

  private static Gpu gpu(String value) {
    return Stream.of(Gpu.values())
        .filter(gpu -> gpu.wanted().equals(value.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new NativeLibraryException(
                "-D%s is \"%s\"; it can be cpu, cuda, vulkan or metal"
                    .formatted(VARIANT_PROPERTY, value)));
  }

  private static Optional<String> text(@Nullable String value) {
    return value == null || value.isBlank() ? Optional.empty() : Optional.of(value);
  }
}
