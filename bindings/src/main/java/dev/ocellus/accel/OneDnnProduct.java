package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.accel.ProductKernel.Order;
import dev.ocellus.accel.ProductKernel.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** oneDNN's code for products of one shape. Threads may run it at the same time. */
final class OneDnnProduct {
  /** Memory of a run before that of oneDNN: the arguments, and the places of their handles. */
  static final long HEADER_BYTES = 256;

  // from dnnl_types.h and dnnl_common_types.h
  private static final int BF16 = 2;
  private static final int F32 = 3;
  private static final int SCRATCH_OF_USER = 1;
  private static final int QUERY_SCRATCH = 136;
  private static final int[] ARGUMENTS = {1, 33, 17, 80}; // source, weights, destination, scratch
  private static final int ARGUMENT_BYTES = 16;
  private static final int HANDLES = 128;
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Runs that have acquired it; guarded by its owner. */
  int users;

  private final OneDnnCalls calls;
  private final long engine;
  private final long[] descriptions = new long[3];
  private long matmul;
  private long primitive;
  private long scratch;
  private long scratchBytes;

  private OneDnnProduct(OneDnnCalls calls, long engine) {
    this.calls = calls;
    this.engine = engine;
  }

  static OneDnnProduct make(OneDnnCalls calls, long engine, Shape s, boolean bf16)
      throws Throwable {
    OneDnnProduct product = new OneDnnProduct(calls, engine);
    try (Arena arena = Arena.ofConfined()) {
      product.make(s, bf16 ? BF16 : F32, arena);
      return product;
    } catch (Throwable e) {
      product.free();
      throw e;
    }
  }

  private void make(Shape s, int type, Arena arena) throws Throwable {
    descriptions[0] = description(arena, s.m(), s.k(), type, s.ldx(), 1);
    boolean byOutput = s.order() == Order.BY_OUTPUT;
    descriptions[1] =
        description(arena, s.k(), s.n(), type, byOutput ? 1 : s.ldw(), byOutput ? s.ldw() : 1);
    descriptions[2] = description(arena, s.m(), s.n(), F32, s.ldd(), 1);
    MemorySegment out = arena.allocate(JAVA_LONG);
    OneDnnCalls.check((int) calls.newAttributes.invokeExact(out), "dnnl_primitive_attr_create");
    long attributes = out.get(JAVA_LONG, 0);
    try {
      OneDnnCalls.check(
          (int) calls.setScratchMode.invokeExact(attributes, SCRATCH_OF_USER),
          "dnnl_primitive_attr_set_scratchpad_mode");
      OneDnnCalls.check(
          (int)
              calls.newMatmul.invokeExact(
                  out, engine, descriptions[0], descriptions[1], 0L, descriptions[2], attributes),
          "dnnl_matmul_primitive_desc_create");
    } finally {
      int done = (int) calls.freeAttributes.invokeExact(attributes);
      assert done == 0;
    }
    matmul = out.get(JAVA_LONG, 0);
    scratch = (long) calls.queryDescription.invokeExact(matmul, QUERY_SCRATCH, 0);
    scratchBytes = scratch == 0 ? 0 : (long) calls.descriptionSize.invokeExact(scratch);
    OneDnnCalls.check((int) calls.newPrimitive.invokeExact(out, matmul), "dnnl_primitive_create");
    primitive = out.get(JAVA_LONG, 0);
  }

  private long description(Arena arena, long n0, long n1, int type, long stride0, long stride1)
      throws Throwable {
    MemorySegment out = arena.allocate(JAVA_LONG);
    OneDnnCalls.check(
        (int)
            calls.newMemoryDescription.invokeExact(
                out,
                2,
                arena.allocateFrom(JAVA_LONG, n0, n1),
                type,
                arena.allocateFrom(JAVA_LONG, stride0, stride1)),
        "dnnl_memory_desc_create_with_strides");
    return out.get(JAVA_LONG, 0);
  }

  long scratchBytes() {
    return scratchBytes;
  }

  /**
   * Multiplies.
   *
   * @param memory of {@link #HEADER_BYTES} and {@link #scratchBytes}, for this run alone
   */
  void run(long stream, long x, long w, long d, long memory) throws Throwable {
    int count = scratchBytes == 0 ? descriptions.length : ARGUMENTS.length;
    int made = 0;
    try {
      for (int i = 0; i < count; i++) {
        long description = i < descriptions.length ? descriptions[i] : scratch;
        long data =
            switch (i) {
              case 0 -> x;
              case 1 -> w;
              case 2 -> d;
              default -> memory + HEADER_BYTES;
            };
        long out = memory + HANDLES + 8L * i;
        OneDnnCalls.check(
            (int) calls.newMemory.invokeExact(out, description, engine, data),
            "dnnl_memory_create");
        made++;
        MEMORY.set(JAVA_INT, memory + (long) ARGUMENT_BYTES * i, ARGUMENTS[i]);
        MEMORY.set(JAVA_LONG, memory + (long) ARGUMENT_BYTES * i + 8, MEMORY.get(JAVA_LONG, out));
      }
      OneDnnCalls.check(
          (int) calls.execute.invokeExact(primitive, stream, count, memory),
          "dnnl_primitive_execute");
      OneDnnCalls.check((int) calls.await.invokeExact(stream), "dnnl_stream_wait");
    } finally {
      for (int i = 0; i < made; i++) {
        int done =
            (int) calls.freeMemory.invokeExact(MEMORY.get(JAVA_LONG, memory + HANDLES + 8L * i));
        assert done == 0;
      }
    }
  }

  /** Frees what was made. */
  void free() throws Throwable {
    int done = 0;
    if (primitive != 0) {
      done |= (int) calls.freePrimitive.invokeExact(primitive);
    }
    if (matmul != 0) {
      done |= (int) calls.freeMatmul.invokeExact(matmul);
    }
    for (long description : descriptions) {
      if (description != 0) {
        done |= (int) calls.freeMemoryDescription.invokeExact(description);
      }
    }
    assert done == 0;
  }
}
