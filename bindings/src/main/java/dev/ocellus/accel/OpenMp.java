package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * How many threads a thread uses, of the OpenMP library that another library is linked with.
 *
 * @param setThreads void of int, for the calling thread
 * @param maxThreads what was set last
 */
record OpenMp(MethodHandle setThreads, MethodHandle maxThreads) {
  private static final String WINDOWS_LIBRARY = "vcomp140.dll";

  /**
   * That of a library.
   *
   * @throws NativeLibraryException if the library is not linked with any
   */
  static OpenMp of(Functions library) {
    return new OpenMp(
        find(library, "omp_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT)),
        find(library, "omp_get_max_threads", FunctionDescriptor.of(JAVA_INT)));
  }

  private static MethodHandle find(Functions library, String name, FunctionDescriptor descriptor) {
    try {
      return library.find(name, descriptor);
    } catch (NativeLibraryException e) { // Windows does not look into what a library needs
      try {
        return Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(WINDOWS_LIBRARY, Arena.global())
                    .find(name)
                    .orElseThrow(() -> e),
                descriptor);
      } catch (IllegalArgumentException missing) {
        throw e;
      }
    }
  }
}
