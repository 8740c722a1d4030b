package dev.ocellus.nativelib;

import java.io.IOException;
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

  /**
   * Creates a directory for this user alone, if it is not there.
   *
   * @throws IOException if it cannot be created, belongs to a user who is neither this one nor
   *     root, or can be written by every user
   */
  public static void create(Path directory) throws IOException {
    PrivateDirectory.create(directory);
  }
}
