package dev.ocellus.accel;

import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** Functions of a library by name. */
final class Functions {
  private final AcceleratorLoader.Loaded library;

  Functions(AcceleratorLoader.Loaded library) {
    this.library = library;
  }

  /**
   * A function.
   *
   * @throws NativeLibraryException if the library has none of this name
   */
  MethodHandle find(String name, FunctionDescriptor descriptor) {
    return library
        .symbols()
        .find(name)
        .map(address -> Linker.nativeLinker().downcallHandle(address, descriptor))
        .orElseThrow(() ->
            new NativeLibraryException(
                "%s has no function %s; it is another library, or of another version"
                    .formatted(library.file(), name)));
  }
}
