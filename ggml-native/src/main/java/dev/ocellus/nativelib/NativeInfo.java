package dev.ocellus.nativelib;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Which libraries are loaded.
 *
 * @param source where they were found
 * @param platform the prebuilt package; empty for a directory of the user's own
 * @param directory where the files lie
 * @param version what the libraries say of themselves
 */
public record NativeInfo(
    Source source, Optional<Platform> platform, Path directory, NativeVersion version) {
  /** Where libraries come from. */
  public enum Source {
    /** A directory that the user named. */
    EXPLICIT,
    /** Resources on the class or module path, unpacked into the cache. */
    BUNDLED
  }
}
