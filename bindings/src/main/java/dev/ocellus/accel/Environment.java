package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Variables that a native library reads while it is loaded. */
final class Environment {
  private Environment() {}

  /** Sets a variable that the user has not set; where there is no setenv, nothing happens. */
  static void setIfAbsent(String name, String value) {
    Optional<MethodHandle> setenv =
        Linker.nativeLinker()
            .defaultLookup()
            .find("setenv")
            .map(address ->
                Linker.nativeLinker()
                    .downcallHandle(
                        address, FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT)));
    if (setenv.isEmpty() || System.getenv(name) != null) {
      return;
    }
    try (Arena scratch = Arena.ofConfined()) {
      int done =
          (int)
              setenv.get().invokeExact(scratch.allocateFrom(name), scratch.allocateFrom(value), 0);
      assert done == 0 : name;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
