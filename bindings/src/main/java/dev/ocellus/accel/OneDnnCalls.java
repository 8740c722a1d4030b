package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The functions of oneDNN that are used, from dnnl.h. Handles are addresses. */
final class OneDnnCalls {
  private static final int CPU = 1;
  private static final int IN_ORDER = 1;

  final MethodHandle newMemoryDescription;
  final MethodHandle freeMemoryDescription;
  final MethodHandle descriptionSize;
  final MethodHandle newAttributes;
  final MethodHandle freeAttributes;
  final MethodHandle setScratchMode;
  final MethodHandle newMatmul;
  final MethodHandle freeOperation;
  final MethodHandle queryDescription;
  final MethodHandle newPrimitive;
  final MethodHandle freePrimitive;
  final MethodHandle execute;
  final MethodHandle await;
  final MethodHandle newMemory;
  final MethodHandle freeMemory;
  private final MethodHandle newEngine;
  private final MethodHandle newStream;
  private final Functions functions;
  private @Nullable MethodHandle newSoftmax; // null until somebody asks; guarded by this

  OneDnnCalls(Functions f) {
    functions = f;
    newEngine = f.find("dnnl_engine_create", status(ADDRESS, JAVA_INT, JAVA_LONG));
    newStream = f.find("dnnl_stream_create", status(ADDRESS, JAVA_LONG, JAVA_INT));
    newMemoryDescription =
        f.find(
            "dnnl_memory_desc_create_with_strides",
            status(ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));
    freeMemoryDescription = f.find("dnnl_memory_desc_destroy", status(JAVA_LONG));
    descriptionSize =
        f.find("dnnl_memory_desc_get_size", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    newAttributes = f.find("dnnl_primitive_attr_create", status(ADDRESS));
    freeAttributes = f.find("dnnl_primitive_attr_destroy", status(JAVA_LONG));
    setScratchMode = f.find("dnnl_primitive_attr_set_scratchpad_mode", status(JAVA_LONG, JAVA_INT));
    newMatmul =
        f.find(
            "dnnl_matmul_primitive_desc_create",
            status(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    freeOperation = f.find("dnnl_primitive_desc_destroy", status(JAVA_LONG));
    queryDescription =
        f.find(
            "dnnl_primitive_desc_query_md",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT));
    newPrimitive = f.find("dnnl_primitive_create", status(ADDRESS, JAVA_LONG));
    freePrimitive = f.find("dnnl_primitive_destroy", status(JAVA_LONG));
    execute = f.find("dnnl_primitive_execute", status(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG));
    await = f.find("dnnl_stream_wait", status(JAVA_LONG));
    newMemory = f.find("dnnl_memory_create", status(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    freeMemory = f.find("dnnl_memory_destroy", status(JAVA_LONG));
  }

  private static FunctionDescriptor status(java.lang.foreign.MemoryLayout... arguments) {
    return FunctionDescriptor.of(JAVA_INT, arguments);
  }

  /**
   * {@code dnnl_softmax_forward_primitive_desc_create}. It has a type of its own, for which the JVM
   * makes classes, and most programs never need it.
   *
   * @throws NativeLibraryException if the library has none
   */
  synchronized MethodHandle newSoftmax() {
    MethodHandle known = newSoftmax;
    if (known == null) {
      known =
          functions.find(
              "dnnl_softmax_forward_primitive_desc_create",
              status(
                  ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT,
                  JAVA_LONG));
      newSoftmax = known;
    }
    return known;
  }

  /** The processor; it lives as long as the process. */
  long newEngine() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) newEngine.invokeExact(out, CPU, 0L), "dnnl_engine_create");
      return out.get(JAVA_LONG, 0);
    }
  }

  /** A queue that executes at once; it lives as long as the process. */
  long newStream(long engine) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      check((int) newStream.invokeExact(out, engine, IN_ORDER), "dnnl_stream_create");
      return out.get(JAVA_LONG, 0);
    }
  }

  static void check(int status, String function) {
    if (status != 0) {
      throw new IllegalStateException("%s failed with status %d".formatted(function, status));
    }
  }
}
