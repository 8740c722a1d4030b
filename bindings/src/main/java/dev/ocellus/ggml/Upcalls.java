package dev.ocellus.ggml;

import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Functions in Java that native code calls.
 *
 * <p>What is thrown outside of the target's own {@code try} ends the process, and that is where the
 * JVM makes a {@link MemorySegment} of a pointer and links what is called for the first time. So
 * pointers arrive here as {@code long}, which needs no memory, and every function is called once
 * while it is made.
 */
public final class Upcalls {
  private Upcalls() {}

  /**
   * A native function that calls a method.
   *
   * @param target an object of a class that {@code lookup} sees
   * @param method a method of it that catches {@link Throwable}; its parameters and result are
   *     primitive, pointers among them {@code long}
   * @param arena must live as long as native code may call
   * @param trial arguments of a call that does nothing
   */
  public static MemorySegment stub(
      MethodHandles.Lookup lookup,
      Object target,
      String method,
      FunctionDescriptor descriptor,
      Arena arena,
      Object... trial) {
    Linker linker = Linker.nativeLinker();
    MethodType type = descriptor.toMethodType();
    try {
      MethodHandle handle = lookup.findVirtual(target.getClass(), method, type).bindTo(target);
      MemorySegment stub = linker.upcallStub(handle, descriptor, arena);
      if (WordCalls.areWords(descriptor)) {
        WordCalls.callAny(stub, trial);
      } else {
        linker.downcallHandle(stub, descriptor).invokeWithArguments(trial);
      }
      return stub;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(method, e);
    }
  }
}
