package dev.ocellus.nativelib;

import dev.ocellus.nativelib.BackendReport.Device;
import dev.ocellus.nativelib.BackendReport.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The few functions of ggml and libllama that are needed before the generated bindings may be used.
 * None passes a struct, so they are safe with libraries of any version that has them.
 */
final class GgmlCalls {
  /** No version string is longer; a bound, because the libraries are not yet trusted. */
  private static final long MAX_TEXT_BYTES = 1 << 16;

  private final SymbolLookup symbols;

  GgmlCalls(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  NativeVersion version() {
    return new NativeVersion(text("llama_version"), text("ggml_version"), text("ggml_commit"));
  }

  /** Lets ggml load the best backend of each kind from a directory. */
  void loadBackends(Path directory) {
    try (Arena arena = Arena.ofConfined()) {
      WordCalls.call(
          address("ggml_backend_load_all_from_path"), arena.allocateFrom(directory.toString()));
    }
  }

  List<Device> devices() {
    MemorySegment get = address("ggml_backend_dev_get");
    MemorySegment name = address("ggml_backend_dev_name");
    MemorySegment description = address("ggml_backend_dev_description");
    MemorySegment type = address("ggml_backend_dev_type");
    List<Device> devices = new ArrayList<>();
    long n = WordCalls.call(address("ggml_backend_dev_count"));
    for (long i = 0; i < n; i++) {
      MemorySegment device = MemorySegment.ofAddress(WordCalls.call(get, WordCalls.word(i)));
      devices.add(
          new Device(
              string(WordCalls.call(name, device)),
              string(WordCalls.call(description, device)),
              Kind.of((int) WordCalls.call(type, device))));
    }
    return devices;
  }

  private String text(String function) {
    return string(WordCalls.call(address(function)));
  }

  private MemorySegment address(String function) {
    return symbols
        .find(function)
        .orElseThrow(() -> new NativeLibraryException("the function " + function + " is missing"));
  }

  private static String string(long pointer) {
    return pointer == 0
        ? ""
        : MemorySegment.ofAddress(pointer).reinterpret(MAX_TEXT_BYTES).getString(0);
  }

  static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }
}
