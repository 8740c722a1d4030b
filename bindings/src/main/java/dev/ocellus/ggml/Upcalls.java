package dev.ocellus.ggml;

import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Functions in Java that native code calls.
 *
 * <p>What is thrown outside of the target's own {@code try} ends the process, and that is where the
 * JVM makes a {@link MemorySegment} of a pointer, links what is called for the first time, and, in
 * the 128th call of a {@link MethodHandle}, spins a class for this handle alone. So pointers arrive
 * here as {@code long}, which needs no memory, and every function is called {@value #TRIALS} times
 * while it is made.
 */
public final class Upcalls {
  private static final FunctionDescriptor WORDS =
      FunctionDescriptor.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);

  private static final MethodHandle CALL_WORDS = callWords();

  /**
   * One more than {@code java.lang.invoke.MethodHandle.CUSTOMIZE_THRESHOLD} may be. The JDK counts
   * the calls of a handle in a byte, so no JDK waits longer.
   */
  private static final int TRIALS = 128 + 1;

  /**
   * A function of up to three pointers and integers, which travel as {@link WordCalls} says: of an
   * integer the upper bits, and of arguments that native code does not pass everything, mean
   * nothing. Native code takes what it needs of the result.
   */
  @FunctionalInterface
  public interface Words {
    /** Catches {@link Throwable}. All arguments are 0 in a trial. */
    long call(long a, long b, long c);
  }

  private Upcalls() {}

  private static MethodHandle callWords() {
    try {
      return MethodHandles.lookup().findVirtual(Words.class, "call", WORDS.toMethodType());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("Words.call", e);
    }
  }

  /**
   * A native function of pointers and integers. All of them are of one type for the JVM, which
   * makes classes for each that there is.
   *
   * @param arena must live as long as native code may call
   */
  public static MemorySegment stub(Words target, Arena arena) {
    MemorySegment stub = Linker.nativeLinker().upcallStub(CALL_WORDS.bindTo(target), WORDS, arena);
    for (int i = 0; i < TRIALS; i++) {
      WordCalls.call(stub, MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL);
    }
    return stub;
  }

  /**
   * A native function that calls a method, for those that have floats or are given a type.
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
      boolean words = WordCalls.areWords(descriptor);
      MethodHandle call = words ? null : linker.downcallHandle(stub, descriptor);
      for (int i = 0; i < TRIALS; i++) {
        if (call == null) {
          WordCalls.callAny(stub, trial);
        } else {
          call.invokeWithArguments(trial);
        }
      }
      return stub;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(method, e);
    }
  }
}
