package dev.ocellus.nativelib;

import java.nio.file.Path;
import java.util.Objects;

/** Where Ocellus keeps what it can compute again. */
public final class CacheDirectory {
  private CacheDirectory() {}

  /**
   * A directory of this name in the user's cache, which {@code -Docellus.cache.dir} moves; it may
   * not exist yet.
   */
  public static Path of(String name) {
    Path natives = Settings.fromEnvironment().cache();
    return Objects.requireNonNull(natives.getParent()).resolve(name);
  }
}
