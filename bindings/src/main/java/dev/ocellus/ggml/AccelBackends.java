package dev.ocellus.ggml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.accel.Caller;
import dev.ocellus.accel.ElementFunction;
import dev.ocellus.accel.Elements;
import dev.ocellus.accel.ProductRunner;
import dev.ocellus.accel.RowConversion;
import dev.ocellus.compute.Turns;
import dev.ocellus.ffi.ggml_h;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Streams of computation on an {@link AccelDevice}: struct {@code ggml_backend}, whose functions
 * call back. Each has threads of its own, as a CPU backend of ggml has, and is used by one caller
 * at a time.
 */
final class AccelBackends {
  private static final Logger LOG = System.getLogger("dev.ocellus.accel");

  /** Functions of struct ggml_backend_i, after the pointer to the GUID. */
  private static final int FUNCTIONS = 16;

  private static final int GUID_BYTES = 16;

  /** Longest name of a function that ggml asks for; more is not ours. */
  private static final int MAX_NAME = 64;

  /** Stack that a thread has to have left to multiply: OpenBLAS and oneDNN need a part of it. */
  private static final int LIBRARY_ROOM = 192 << 10;

  /** One stream. */
  private final class Stream {
    final Arena arena = Arena.ofShared();
    private int nThreads = 1;
    private @Nullable ProductRunner runner;
    volatile long abort;
    volatile long abortData;
    volatile @Nullable Turns turns;

    /** With libraries that are there: a full heap is told while a context is made, not later. */
    Stream() {
      if (libraries.areLoaded()) {
        runner();
      }
    }

    /** Made when it is first needed, where the libraries are loaded no earlier. */
    final ProductRunner runner() {
      ProductRunner known = runner;
      if (known == null) {
        known = libraries.get().orElseThrow().runner(nThreads);
        runner = known;
      }
      return known;
    }

    void setThreads(int count) {
      nThreads = count;
      if (runner != null) {
        runner.setThreads(count);
      }
    }

    void close() {
      if (runner != null) {
        runner.close();
      }
      arena.close();
    }

    boolean isAborted() throws Throwable {
      long function = abort;
      return function != 0
          && (boolean) abortCall.invokeExact(MemorySegment.ofAddress(function), abortData);
    }

    void giveWay() {
      Turns wanted = turns;
      if (wanted != null) {
        wanted.giveWay();
      }
    }
  }

  private final Map<Long, Stream> streams = new ConcurrentHashMap<>();
  private final MethodHandle abortCall =
      Linker.nativeLinker()
          .downcallHandle(
              FunctionDescriptor.of(java.lang.foreign.ValueLayout.JAVA_BOOLEAN, JAVA_LONG));

  private final Supplier<AccelDevice> wanted;
  private final AccelLibraries libraries;
  private final MemorySegment guid;
  private final MemorySegment nameText;
  private final MemorySegment name;
  private final MemorySegment free;
  private final MemorySegment compute;
  private final MemorySegment setThreads;
  private final MemorySegment setAbort;

  /**
   * @param wanted the device that a new stream is to belong to
   */
  AccelBackends(AccelLibraries libraries, Supplier<AccelDevice> wanted) {
    this.libraries = libraries;
    this.wanted = wanted;
    Arena arena = Arena.global();
    guid = arena.allocateFrom("ocellus-products"); // 16 bytes and a zero
    assert guid.byteSize() > GUID_BYTES;
    nameText = arena.allocateFrom("ACCEL");
    name = Upcalls.stub((backend, b, c) -> nameText.address(), arena);
    free = Upcalls.stub((backend, b, c) -> free(backend), arena);
    compute = Upcalls.stub((backend, graph, c) -> compute(backend, graph), arena);
    setThreads = Upcalls.stub((backend, count, c) -> setThreads(backend, (int) count), arena);
    setAbort = Upcalls.stub(this::setAbort, arena);
  }

  /** The address of a function that ggml asks for by name; 0 if there is none. */
  long function(long nameAddress) {
    String text = MemorySegment.ofAddress(nameAddress).reinterpret(MAX_NAME).getString(0);
    return switch (text) {
      case "ggml_backend_set_n_threads" -> setThreads.address();
      case "ggml_backend_set_abort_callback" -> setAbort.address();
      default -> 0;
    };
  }

  /** Whether there is something to compute with. */
  boolean isReady() {
    return libraries.areLoaded();
  }

  /** The same, and it is loaded if need be. */
  boolean getReady() {
    return libraries.get().isPresent();
  }

  /** Makes a stream on the device that is wanted now, with one thread until told otherwise. */
  long open() {
    AccelDevice device = wanted.get();
    Stream stream = new Stream();
    MemorySegment backend = stream.arena.allocate((FUNCTIONS + 3) * ADDRESS.byteSize(), 8);
    backend.setAtIndex(ADDRESS, 0, guid);
    backend.setAtIndex(ADDRESS, 1, name);
    backend.setAtIndex(ADDRESS, 2, free);
    backend.setAtIndex(ADDRESS, 1 + GRAPH_COMPUTE, compute);
    backend.setAtIndex(ADDRESS, 1 + FUNCTIONS, device.device());
    streams.put(backend.address(), stream);
    return backend.address();
  }

  /** Lets what a stream computes give way to others between nodes. */
  void takeTurns(long backend, Turns turns) {
    Stream stream = streams.get(backend);
    if (stream != null) {
      stream.turns = turns;
    }
  }

  /** Place of graph_compute among the functions. */
  private static final int GRAPH_COMPUTE = 12;

  // ---- what ggml calls; an address of 0 is a trial

  private long free(long backend) {
    try {
      Stream stream = streams.remove(backend);
      if (stream != null) {
        stream.close();
      }
    } catch (Throwable e) { // its memory is lost, which harms nobody
      return 0;
    }
    return 0;
  }

  private long setThreads(long backend, int count) {
    try {
      Stream stream = streams.get(backend);
      if (stream != null && count > 0) {
        stream.setThreads(count);
      }
    } catch (Throwable e) { // it keeps those that it has
      return 0;
    }
    return 0;
  }

  private long setAbort(long backend, long function, long data) {
    try {
      Stream stream = streams.get(backend);
      if (stream != null) {
        stream.abort = 0;
        stream.abortData = data;
        stream.abort = function;
      }
    } catch (Throwable e) { // it ends with the next node on the CPU
      return 0;
    }
    return 0;
  }

  private int compute(long backend, long graph) {
    try {
      Stream stream = streams.get(backend);
      if (stream == null) {
        return ggml_h.GGML_STATUS_FAILED();
      }
      MemorySegment nodes = MemorySegment.ofAddress(graph);
      int count = ggml_h.ggml_graph_n_nodes(nodes);
      Caller caller = caller();
      IntToLongFunction at = i -> ggml_h.ggml_graph_node(nodes, i).address();
      for (int i = 0; i < count; ) {
        if (stream.isAborted()) {
          return ggml_h.GGML_STATUS_ABORTED();
        }
        stream.giveWay();
        i += compute(stream.runner(), caller, at, i, count);
      }
      return ggml_h.GGML_STATUS_SUCCESS();
    } catch (OutOfMemoryError e) {
      return ggml_h.GGML_STATUS_ALLOC_FAILED();
    } catch (Throwable e) {
      return failed(e);
    }
  }

  private static Caller caller() {
    if (NativeStack.isForGraphs()) {
      return Caller.SHARES;
    }
    return NativeStack.hasRoom(LIBRARY_ROOM) ? Caller.SHARES_WITHOUT_MATRIX_UNIT : Caller.WAITS;
  }

  /** Computes a node, and what is computed with it; returns how many nodes that are. */
  private static int compute(
      ProductRunner runner, Caller caller, IntToLongFunction nodes, int i, int count)
      throws Throwable {
    long node = nodes.applyAsLong(i);
    if (!AccelNode.isWanted(node)) {
      return 1;
    }
    if (AccelNode.isProduct(node)) {
      multiply(runner, node, caller);
    } else if (AccelNode.isGelu(node)) {
      runner.run(gelu(node), caller);
    } else if (AccelActivation.isOne(node)) {
      runner.run(AccelActivation.operation(node), caller);
    } else if (AccelAttention.isOne(node)) {
      runner.run(AccelAttention.heads(node), caller);
    } else if (AccelRotation.isOne(node)) {
      runner.run(AccelRotation.operation(node), caller);
    } else if (AccelLayer.isOne(node)) {
      runner.run(AccelLayer.operation(node), caller);
      AccelLayer.release(node);
    } else { // or a view
      AccelChain.Step step = AccelChain.at(nodes, i, count);
      if (step != null) {
        runner.run(step.operation(), caller);
        return step.nNodes();
      }
    }
    return 1;
  }

  private static Elements gelu(long node) {
    return new Elements(
        ElementFunction.GELU,
        AccelNode.source(node),
        0,
        AccelNode.target(node),
        AccelNode.elements(node));
  }

  private static void multiply(ProductRunner runner, long node, Caller caller) throws Throwable {
    FileMatrix matrix = AccelNode.fileMatrix(node);
    RowConversion toF32 = matrix == null ? null : matrix.toF32();
    if (matrix == null || toF32 == null) {
      runner.run(AccelNode.product(node), caller);
    } else {
      runner.run(AccelNode.product(node, matrix, toF32), caller);
    }
    if (matrix != null) {
      matrix.release();
    }
  }

  private static int failed(Throwable e) {
    try {
      LOG.log(Level.ERROR, "what was handed over by ggml failed", e);
    } catch (Throwable again) { // the status tells it all the same
      return ggml_h.GGML_STATUS_FAILED();
    }
    return ggml_h.GGML_STATUS_FAILED();
  }
}
