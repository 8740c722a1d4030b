package dev.ocellus.nativelib;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * Calls of native functions whose parameters and result are pointers and integers.
 *
 * <p>The JVM spins ten classes for every type of function that is linked, which takes it some
 * milliseconds, and ggml and libllama have seventy types. But up to {@value #MAX_ARGUMENTS}
 * arguments of these kinds all travel as words of 64 bits on every platform that there are
 * libraries for: in registers, or in words of the stack, and a function takes what it needs of each
 * (64, 32 or 8 bits). So they are linked once for each number of arguments, all as pointers, which
 * keeps the checks of {@link MemorySegment}: a closed arena or an array of the heap is refused.
 * More arguments, floats, and structs by value are not for this class: macOS packs arguments on the
 * stack, and floats have registers of their own.
 *
 * <p>Each method calls the function at {@code function} and returns its result register; for a
 * function that returns less than 64 bits, the upper ones mean nothing.
 */
public final class WordCalls {
  /** Arguments that travel in registers on AArch64. */
  public static final int MAX_ARGUMENTS = 8;

  private WordCalls() {}

  // A class each, so that each handle is a constant that is made when it is first needed.

  private static final class Zero {
    static final MethodHandle HANDLE = link(0);
  }

  private static final class One {
    static final MethodHandle HANDLE = link(1);
  }

  private static final class Two {
    static final MethodHandle HANDLE = link(2);
  }

  private static final class Three {
    static final MethodHandle HANDLE = link(3);
  }

  private static final class Four {
    static final MethodHandle HANDLE = link(4);
  }

  private static final class Five {
    static final MethodHandle HANDLE = link(5);
  }

  private static final class Six {
    static final MethodHandle HANDLE = link(6);
  }

  private static final class Seven {
    static final MethodHandle HANDLE = link(7);
  }

  private static final class Eight {
    static final MethodHandle HANDLE = link(8);
  }

  private static MethodHandle link(int arguments) {
    return Linker.nativeLinker()
        .downcallHandle(
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                Collections.nCopies(arguments, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new)));
  }

  /** An integer as an argument. */
  public static MemorySegment word(long value) {
    return MemorySegment.ofAddress(value);
  }

  /** A result that is a pointer, to memory of any size. */
  public static MemorySegment pointer(long result) {
    return MemorySegment.ofAddress(result).reinterpret(Long.MAX_VALUE);
  }

  /** Whether a function can be called through this class. */
  public static boolean areWords(FunctionDescriptor function) {
    return function.argumentLayouts().size() <= MAX_ARGUMENTS
        && function.argumentLayouts().stream().allMatch(WordCalls::isWord)
        && function.returnLayout().map(WordCalls::isWord).orElse(true);
  }

  private static boolean isWord(MemoryLayout layout) {
    return switch (layout) {
      case ValueLayout.OfFloat f -> false;
      case ValueLayout.OfDouble d -> false;
      case ValueLayout v -> true;
      default -> false;
    };
  }

  /**
   * Calls a function of any number of arguments.
   *
   * @param arguments pointers, integers and booleans
   */
  public static long callAny(MemorySegment function, Object... arguments) {
    List<MemorySegment> w = new ArrayList<>();
    for (Object argument : arguments) {
      w.add(
          switch (argument) {
            case MemorySegment pointer -> pointer;
            case Boolean flag -> word(flag ? 1 : 0);
            case Number number -> word(number.longValue());
            default -> throw new IllegalArgumentException("no word: " + argument);
          });
    }
    return switch (w.size()) {
      case 0 -> call(function);
      case 1 -> call(function, w.get(0));
      case 2 -> call(function, w.get(0), w.get(1));
      case 3 -> call(function, w.get(0), w.get(1), w.get(2));
      case 4 -> call(function, w.get(0), w.get(1), w.get(2), w.get(3));
      case 5 -> call(function, w.get(0), w.get(1), w.get(2), w.get(3), w.get(4));
      case 6 -> call(function, w.get(0), w.get(1), w.get(2), w.get(3), w.get(4), w.get(5));
      case 7 ->
          call(function, w.get(0), w.get(1), w.get(2), w.get(3), w.get(4), w.get(5), w.get(6));
      case 8 ->
          call(
              function, w.get(0), w.get(1), w.get(2), w.get(3), w.get(4), w.get(5), w.get(6),
              w.get(7));
      default ->
          throw new IllegalArgumentException(
              "arguments of a native call: expected at most %d, found %d"
                  .formatted(MAX_ARGUMENTS, w.size()));
    };
  }

  /** Links for all numbers of arguments. */
  public static void linkAll() {
    for (Object handle :
        new Object[] {
          Zero.HANDLE,
          One.HANDLE,
          Two.HANDLE,
          Three.HANDLE,
          Four.HANDLE,
          Five.HANDLE,
          Six.HANDLE,
          Seven.HANDLE,
          Eight.HANDLE
        }) {
      Objects.requireNonNull(handle);
    }
  }

  /** Calls a function of no argument. */
  public static long call(MemorySegment function) {
    try {
      return (long) Zero.HANDLE.invokeExact(function);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of one argument. */
  public static long call(MemorySegment function, MemorySegment a) {
    try {
      return (long) One.HANDLE.invokeExact(function, a);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 2 arguments. */
  public static long call(MemorySegment function, MemorySegment a, MemorySegment b) {
    try {
      return (long) Two.HANDLE.invokeExact(function, a, b);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 3 arguments. */
  public static long call(
      MemorySegment function, MemorySegment a, MemorySegment b, MemorySegment c) {
    try {
      return (long) Three.HANDLE.invokeExact(function, a, b, c);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 4 arguments. */
  public static long call(
      MemorySegment function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d) {
    try {
      return (long) Four.HANDLE.invokeExact(function, a, b, c, d);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 5 arguments. */
  public static long call(
      MemorySegment function,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c,
      MemorySegment d,
      MemorySegment e) {
    try {
      return (long) Five.HANDLE.invokeExact(function, a, b, c, d, e);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 6 arguments. */
  public static long call(
      MemorySegment function,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c,
      MemorySegment d,
      MemorySegment e,
      MemorySegment f) {
    try {
      return (long) Six.HANDLE.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 7 arguments. */
  public static long call(
      MemorySegment function,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c,
      MemorySegment d,
      MemorySegment e,
      MemorySegment f,
      MemorySegment g) {
    try {
      return (long) Seven.HANDLE.invokeExact(function, a, b, c, d, e, f, g);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Calls a function of 8 arguments. */
  public static long call(
      MemorySegment function,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c,
      MemorySegment d,
      MemorySegment e,
      MemorySegment f,
      MemorySegment g,
      MemorySegment h) {
    try {
      return (long) Eight.HANDLE.invokeExact(function, a, b, c, d, e, f, g, h);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    if (e instanceof RuntimeException runtime) {
      return runtime;
    }
    throw new AssertionError("a native call has no checked exceptions", e);
  }
}
