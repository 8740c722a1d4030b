package dev.ocellus.nativelib;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says why the operating system would not load a library. */
final class LoadFailure {
  private LoadFailure() {}

  /** Why the library does not load, with a remedy where one is known. */
  static String reason(Path library) {
    return linkerMessage(library)
        .map(message -> message + remedy(message))
        .orElse("the operating system gave no reason");
  }

  /**
   * The dynamic linker's own words, or empty if the library loads. {@code SymbolLookup} drops them,
   * but {@code System.load} reports them; so this loads the library where it can be loaded.
   */
  static Optional<String> linkerMessage(Path library) {
    try {
      System.load(library.toAbsolutePath().toString());
      return Optional.empty();
    } catch (UnsatisfiedLinkError e) {
      @Nullable String message = e.getMessage();
      return Optional.of(message == null ? e.toString() : message);
    }
  }

  private static String remedy(String message) {
    if (message.contains("GLIBC")) {
      return ". The prebuilt libraries need glibc 2.34 and libstdc++ of GCC 12 or newer (Debian 12, Ubuntu 22.04,"
          + " RHEL 9 or later); this system has glibc "
          + glibcVersion().orElse("of an unknown version")
          + ". Update the system, or build llama.cpp "
          + NativeVersion.TAG
          + " on it and set -D"
          + Settings.DIRECTORY_PROPERTY
          + ".";
    }
    if (message.contains("failed to map segment") || message.contains("Operation not permitted")) {
      return ". The directory seems to be mounted noexec; set -D"
          + Settings.CACHE_PROPERTY
          + " to one that is not.";
    }
    if (message.contains("libstdc++")
        || message.contains("libgomp")
        || message.contains("libgcc_s")) {
      return ". Install the C++ run-time library (Debian and Ubuntu: libstdc++6; RHEL: libstdc++).";
    }
    return "";
  }

  private static Optional<String> glibcVersion() {
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find("gnu_get_libc_version")
        .map(address -> {
          try {
            MemorySegment text =
                (MemorySegment)
                    linker
                        .downcallHandle(address, FunctionDescriptor.of(ValueLayout.ADDRESS))
                        .invokeExact();
            return text.reinterpret(64).getString(0);
          } catch (Throwable e) {
            return e.toString();
          }
        });
  }
}
