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

  /** Why the library does not load, with a remedy where one is known; empty if it does load. */
  static Optional<String> of(Path library) {
    return linkerMessage(library)
        .map(message -> message + remedy(message, library.getFileName().toString()));
  }

  /**
   * The dynamic linker's own words. {@code SymbolLookup} drops them, but {@code System.load}
   * reports them; the price is that a library which can be loaded is.
   */
  private static Optional<String> linkerMessage(Path library) {
    try {
      System.load(library.toAbsolutePath().toString());
      return Optional.empty();
    } catch (UnsatisfiedLinkError e) {
      @Nullable String message = e.getMessage();
      return Optional.of(message == null ? e.toString() : message);
    }
  }

  /** What to do about it, as a sentence that continues the linker's message; empty if not known. */
  static String remedy(String message, String file) {
    if (message.contains("GLIBC")) {
      return (". The prebuilt libraries need glibc 2.34 and the libstdc++ of GCC 12 (Debian 12, Ubuntu 22.04"
              + " or newer); this system has glibc %s. Update it, or build llama.cpp %s on it and name the"
              + " directory with -D%s.")
          .formatted(
              glibcVersion().orElse("of an unknown version"),
              NativeVersion.TAG,
              Settings.DIRECTORY_PROPERTY);
    }
    if (message.contains("failed to map segment") || message.contains("Operation not permitted")) {
      return ". Its directory seems to be mounted noexec; set -D"
          + Settings.CACHE_PROPERTY
          + " to one that is not.";
    }
    if (message.contains("libstdc++") || message.contains("libgcc_s")) {
      return ". Install the C++ run-time library (Debian and Ubuntu: libstdc++6; RHEL: libstdc++).";
    }
    if (file.contains("ggml-cuda")) {
      return ". It needs an NVIDIA driver and the CUDA 13 run-time libraries cudart and cublas (CUDA 12 for"
          + " the one in fallback) where the system looks for libraries.";
    }
    if (file.contains("ggml-vulkan")) {
      return ". It needs the Vulkan loader (Debian and Ubuntu: libvulkan1) and a Vulkan driver.";
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
