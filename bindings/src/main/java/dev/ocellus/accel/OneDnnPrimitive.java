package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.accel.ProductKernel.Order;
import dev.ocellus.accel.ProductKernel.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** oneDNN's code for one operation of one shape. Threads may run it at the same time. */
final class OneDnnPrimitive {
  /** Memory of a run before that of oneDNN: the arguments, and the places of their handles. */
  static final long HEADER_BYTES = 256;

  // from dnnl_types.h and dnnl_common_types.h
  private static final int BF16 = 2;
  private static final int F32 = 3;
  private static final int SCRATCH_OF_USER = 1;
  private static final int QUERY_SCRATCH = 136;
  private static final int SOURCE = 1;
  private static final int WEIGHTS = 33;
  private static final int DESTINATION = 17;
  private static final int SCRATCH = 80;
  private static final int FORWARD_INFERENCE = 96;
  private static final int ACCURATE_SOFTMAX = 0x30000;
  private static final int ARGUMENT_BYTES = 16;
  private static final int HANDLES = 128;
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Runs that have acquired it; guarded by its owner. */
  int users;

  private final OneDnnCalls calls;
  private final long engine;

  /** What the operation reads, then what it writes. */
  private final int[] arguments;

  private final long[] descriptions;
  private long operation;
  private long primitive;
  private long scratch;
  private long scratchBytes;

  private OneDnnPrimitive(OneDnnCalls calls, long engine, int... arguments) {
    this.calls = calls;
    this.engine = engine;
    this.arguments = arguments;
    this.descriptions = new long[arguments.length];
  }

  /** Makes what describes an operation, with attributes. */
  private interface Operation {
    long describe(Arena arena, long attributes) throws Throwable;
  }

  /** A product, which reads {@code x} and {@code w} and writes {@code d}. */
  static OneDnnPrimitive product(OneDnnCalls calls, long engine, Shape s, boolean bf16)
      throws Throwable {
    OneDnnPrimitive product = new OneDnnPrimitive(calls, engine, SOURCE, WEIGHTS, DESTINATION);
    return product.make(
        (arena, attributes) -> product.describe(s, bf16 ? BF16 : F32, arena, attributes));
  }

  /** Softmax of rows of F32 without gaps, which are written in BF16. */
  static OneDnnPrimitive softmax(OneDnnCalls calls, long engine, int rows, int width)
      throws Throwable {
    OneDnnPrimitive softmax = new OneDnnPrimitive(calls, engine, SOURCE, DESTINATION);
    return softmax.make((arena, attributes) -> softmax.describe(rows, width, arena, attributes));
  }

  private OneDnnPrimitive make(Operation wanted) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      make(wanted, arena);
      return this;
    } catch (Throwable e) {
      free();
      throw e;
    }
  }

  private long describe(int rows, int width, Arena arena, long attributes) throws Throwable {
    descriptions[0] = description(arena, rows, width, F32, width, 1);
    descriptions[1] = description(arena, rows, width, BF16, width, 1);
    MemorySegment out = arena.allocate(JAVA_LONG);
    OneDnnCalls.check(
        (int)
            calls
                .newSoftmax()
                .invokeExact(
                    out,
                    engine,
                    FORWARD_INFERENCE,
                    ACCURATE_SOFTMAX,
                    descriptions[0],
                    descriptions[1],
                    1, // along the rows
                    attributes),
        "dnnl_softmax_forward_primitive_desc_create");
    return out.get(JAVA_LONG, 0);
  }

  private long describe(Shape s, int type, Arena arena, long attributes) throws Throwable {
    descriptions[0] = description(arena, s.m(), s.k(), type, s.ldx(), 1);
    boolean byOutput = s.order() == Order.BY_OUTPUT;
    descriptions[1] =
        description(arena, s.k(), s.n(), type, byOutput ? 1 : s.ldw(), byOutput ? s.ldw() : 1);
    descriptions[2] = description(arena, s.m(), s.n(), F32, s.ldd(), 1);
    MemorySegment out = arena.allocate(JAVA_LONG);
    OneDnnCalls.check(
        (int)
            calls.newMatmul.invokeExact(
                out, engine, descriptions[0], descriptions[1], 0L, descriptions[2], attributes),
        "dnnl_matmul_primitive_desc_create");
    return out.get(JAVA_LONG, 0);
  }

  private void make(Operation wanted, Arena arena) throws Throwable {
    MemorySegment out = arena.allocate(JAVA_LONG);
    OneDnnCalls.check((int) calls.newAttributes.invokeExact(out), "dnnl_primitive_attr_create");
    long attributes = out.get(JAVA_LONG, 0);
    try {
      OneDnnCalls.check(
          (int) calls.setScratchMode.invokeExact(attributes, SCRATCH_OF_USER),
          "dnnl_primitive_attr_set_scratchpad_mode");
      operation = wanted.describe(arena, attributes);
    } finally {
      int done = (int) calls.freeAttributes.invokeExact(attributes);
      assert done == 0;
    }
    scratch = (long) calls.queryDescription.invokeExact(operation, QUERY_SCRATCH, 0);
    scratchBytes = scratch == 0 ? 0 : (long) calls.descriptionSize.invokeExact(scratch);
    OneDnnCalls.check(
        (int) calls.newPrimitive.invokeExact(out, operation), "dnnl_primitive_create");
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
   * Computes.
   *
   * @param memory of {@link #HEADER_BYTES} and {@link #scratchBytes}, for this run alone
   * @param data addresses of what is read and of what is written
   */
  void run(long stream, long memory, long... data) throws Throwable {
    int count = scratchBytes == 0 ? arguments.length : arguments.length + 1;
    int made = 0;
    try {
      for (int i = 0; i < count; i++) {
        boolean given = i < arguments.length;
        long description = given ? descriptions[i] : scratch;
        long address = given ? data[i] : memory + HEADER_BYTES;
        long out = memory + HANDLES + 8L * i;
        OneDnnCalls.check(
            (int) calls.newMemory.invokeExact(out, description, engine, address),
            "dnnl_memory_create");
        made++;
        MEMORY.set(JAVA_INT, memory + (long) ARGUMENT_BYTES * i, given ? arguments[i] : SCRATCH);
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
    if (operation != 0) {
      done |= (int) calls.freeOperation.invokeExact(operation);
    }
    for (long description : descriptions) {
      if (description != 0) {
        done |= (int) calls.freeMemoryDescription.invokeExact(description);
      }
    }
    assert done == 0;
  }
}
