package dev.ocellus.nativelib;

import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * Refuses libraries of another version than the bindings' headers. Structs change between llama.cpp
 * versions without any other sign, and a struct of the wrong layout corrupts memory.
 */
final class VersionCheck {
  private VersionCheck() {}

  static NativeVersion check(Supplier<NativeVersion> versionOf, Path directory) {
    NativeVersion found;
    try {
      found = versionOf.get();
    } catch (NativeLibraryException e) {
      throw new NativeLibraryException(
          "the libraries in %s do not say which version they are (%s), so they are not llama.cpp %s. %s"
              .formatted(directory, e.getMessage(), NativeVersion.TAG, REMEDY),
          e);
    }
    if (!found.matchesBindings()) {
      throw new NativeLibraryException(
          "the libraries in %s are %s, but this Ocellus needs llama.cpp %s, ggml %s. %s"
              .formatted(directory, found, NativeVersion.LLAMA, NativeVersion.GGML, REMEDY));
    }
    return found;
  }

  private static final String REMEDY =
      "Build llama.cpp at the tag %s, or unset -D%s and %s to use the bundled libraries."
          .formatted(NativeVersion.TAG, Settings.DIRECTORY_PROPERTY, Settings.DIRECTORY_VARIABLE);
}
