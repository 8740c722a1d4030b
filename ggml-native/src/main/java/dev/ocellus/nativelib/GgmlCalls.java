package dev.ocellus.nativelib;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.nativelib.BackendReport.Device;
import dev.ocellus.nativelib.BackendReport.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
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
    MethodHandle function =
        handle("ggml_backend_load_all_from_path", FunctionDescriptor.ofVoid(ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      function.invokeExact(arena.allocateFrom(directory.toString()));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  List<Device> devices() {
    MethodHandle count = handle("ggml_backend_dev_count", FunctionDescriptor.of(JAVA_LONG));
    MethodHandle get = handle("ggml_backend_dev_get", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
    MethodHandle name = handle("ggml_backend_dev_name", FunctionDescriptor.of(ADDRESS, ADDRESS));
    MethodHandle description =
        handle("ggml_backend_dev_description", FunctionDescriptor.of(ADDRESS, ADDRESS));
    MethodHandle type = handle("ggml_backend_dev_type", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    List<Device> devices = new ArrayList<>();
    try {
      long n = (long) count.invokeExact();
      for (long i = 0; i < n; i++) {
        MemorySegment device = (MemorySegment) get.invokeExact(i);
        int kind = (int) type.invokeExact(device);
        devices.add(
            new Device(
                string((MemorySegment) name.invokeExact(device)),
                string((MemorySegment) description.invokeExact(device)),
                Kind.of(kind)));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
    return devices;
  }

  private String text(String function) {
    MethodHandle handle = handle(function, FunctionDescriptor.of(ADDRESS));
    try {
      return string((MemorySegment) handle.invokeExact());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private MethodHandle handle(String function, FunctionDescriptor descriptor) {
    MemorySegment address =
        symbols
            .find(function)
            .orElseThrow(
                () -> new NativeLibraryException("the function " + function + " is missing"));
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }

  private static String string(MemorySegment pointer) {
    return pointer.address() == 0 ? "" : pointer.reinterpret(MAX_TEXT_BYTES).getString(0);
  }

  static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }
}
