package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** A native function {@code (const void * from, void * to, int64_t n)} that converts numbers. */
public final class RowConversion {
  private final MethodHandle function;

  private RowConversion(MethodHandle function) {
    this.function = function;
  }

  public static RowConversion of(MemorySegment function) {
    return new RowConversion(
        Linker.nativeLinker()
            .downcallHandle(function, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG)));
  }

  /** Converts {@code n} numbers at an address to another. */
  public void convert(long from, long to, long n) throws Throwable {
    function.invokeExact(from, to, n);
  }
}
