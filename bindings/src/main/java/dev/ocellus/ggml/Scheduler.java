package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.GgmlException;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.compute.Turns;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes graphs, one at a time, on one or more backends. Memory for intermediates is kept between
 * computations, so a repeated graph allocates nothing. It goes to the next graph that is started.
 *
 * <p>Thread-safe: a second computation waits for the first. {@link #close()} waits too.
 */
public final class Scheduler extends NativeObject {
  private final Backend[] backends;
  private final ReentrantLock lock = new ReentrantLock();
  private MemorySegment handle = MemorySegment.NULL; // guarded by lock
  private int capacity; // of the handle: nodes, inputs and weights of a graph
  private @Nullable Graph allocated;
  private @Nullable ObserverCallback observer;
  private @Nullable Turns turns;

  /**
   * @param backends by preference; the last one must be a CPU backend, which takes what the others
   *     cannot do. They stay the caller's and must outlive the scheduler.
   */
  public Scheduler(Backend... backends) {
    require(
        backends.length > 0 && backends[backends.length - 1].device().kind() == Device.Kind.CPU,
        () -> "A scheduler needs a CPU backend as its last one");
    this.backends = backends.clone();
  }

  /** Whether an accelerator is the first that is asked to compute a node. */
  boolean hasAccelerator() {
    return backends[0].device().kind() == Device.Kind.ACCELERATOR;
  }

  /** The native scheduler, made anew where it is too small for a graph. */
  private MemorySegment handleFor(Graph graph) {
    if (graph.size() > capacity) {
      free();
      try (Arena scratch = Arena.ofShared()) {
        MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, backends.length);
        for (int i = 0; i < backends.length; i++) {
          list.setAtIndex(ValueLayout.ADDRESS, i, backends[i].handle());
        }
        handle =
            NativeStack.call(() ->
                ggml_h.ggml_backend_sched_new(
                    list, MemorySegment.NULL, backends.length, graph.size(), false, true));
      }
      capacity = graph.size();
      setObserver();
    }
    return handle;
  }

  private void free() {
    if (capacity > 0) {
      allocated = null;
      capacity = 0;
      MemorySegment old = handle;
      NativeStack.run(() -> ggml_h.ggml_backend_sched_free(old));
    }
  }

  private void setObserver() {
    if (observer != null && capacity > 0) {
      ggml_h.ggml_backend_sched_set_eval_callback(handle, observer.stub(), MemorySegment.NULL);
    }
  }

  /**
   * Prepares a computation. The caller fills the inputs, computes, reads the outputs and closes it;
   * until then other threads wait.
   *
   * @throws OutOfDeviceMemoryException if a device has no room for the intermediates
   * @throws IllegalStateException if another graph has been computed since this one was; it must be
   *     built again
   */
  public Computation start(Graph graph) {
    lock.lock();
    try {
      requireOpen();
      if (!graph.equals(allocated)) {
        if (graph.wasAllocated()) {
          throw new IllegalStateException(
              "The memory of this graph's tensors has gone to another graph; build it again");
        }
        requireWritable(graph);
        MemorySegment sched = handleFor(graph);
        allocated = null;
        var done =
            NativeLog.observe(() -> {
              ggml_h.ggml_backend_sched_reset(sched);
              graph.markAllocated(); // only now: what fails before, for want of heap, can be
              // repeated
              return ggml_h.ggml_backend_sched_alloc_graph(sched, graph.handle());
            });
        if (!done.result()) {
          throw new OutOfDeviceMemoryException(
              "No memory for the intermediates of a graph of %d nodes on %s%s. Free memory, or use smaller images or another device."
                  .formatted(graph.nNodes(), backends[0].device(), done.because()));
        }
        allocated = graph;
      }
      return new Computation(graph);
    } catch (Throwable e) {
      lock.unlock();
      throw e;
    }
  }

  /**
   * What is written into memory that is there already, such as a KV cache, must be computed where
   * that memory is; ggml ends the process where a device cannot.
   */
  private void requireWritable(Graph graph) {
    for (int i = 0; i < graph.nNodes(); i++) {
      MemorySegment node = graph.node(i);
      MemorySegment target = ggml_tensor.view_src(node);
      if (target.address() != 0) {
        MemorySegment buffer = ggml_tensor.buffer(target.reinterpret(ggml_tensor.sizeof()));
        require(
            buffer.address() == 0 || anyBackendTakes(node, buffer),
            () ->
                "%s cannot compute %s where the tensor that it changes is"
                    .formatted(
                        backends[0].device(),
                        ggml_h.ggml_op_name(ggml_tensor.op(node)).getString(0)));
      }
    }
  }

  private boolean anyBackendTakes(MemorySegment node, MemorySegment buffer) {
    MemorySegment type = ggml_h.ggml_backend_buffer_get_type(buffer);
    for (Backend backend : backends) {
      if (ggml_h.ggml_backend_supports_buft(backend.handle(), type)
          && ggml_h.ggml_backend_supports_op(backend.handle(), node)) {
        return true;
      }
    }
    return false;
  }

  /** Whether several backends compute the graph, of which one may be an {@link Accel}. */
  private boolean isDivided() {
    return observer == null && ggml_h.ggml_backend_sched_get_n_splits(handle) > 1;
  }

  /** Forgets a graph that is about to be closed. */
  public void forget(Graph graph) {
    lock.lock();
    try {
      if (graph.equals(allocated)) {
        allocated = null;
        ggml_h.ggml_backend_sched_reset(handle);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets somebody watch the multiplications with weights, which makes computing slower. */
  public void observe(MatMulObserver watcher) {
    lock.lock();
    try {
      requireOpen();
      observer = new ObserverCallback(watcher, arena());
      setObserver();
    } finally {
      lock.unlock();
    }
  }

  /** Lets graphs have the processor in turns with other work; an accelerator gives way in them. */
  public void takeTurns(Turns with) {
    lock.lock();
    try {
      turns = with;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Bytes of the buffers for intermediates that a graph would need, on all devices. Nothing is
   * allocated. Use a graph that is not to be computed, on a scheduler that has computed nothing.
   */
  public long bytesNeeded(Graph graph) {
    lock.lock();
    try (Arena scratch = Arena.ofShared()) {
      requireOpen();
      require(allocated == null, () -> "bytesNeeded: the scheduler holds a graph already");
      MemorySegment sizes = scratch.allocate(ValueLayout.JAVA_LONG, backends.length);
      MemorySegment sched = handleFor(graph);
      NativeStack.run(() -> {
        ggml_h.ggml_backend_sched_reserve_size(sched, graph.handle(), sizes);
        ggml_h.ggml_backend_sched_reset(sched);
      });
      long bytes = 0;
      for (int i = 0; i < backends.length; i++) {
        // an accelerator has no memory of its own; ggml says the CPU's once more for it
        boolean counts = backends[i].device().kind() != Device.Kind.ACCELERATOR;
        bytes += counts ? sizes.getAtIndex(ValueLayout.JAVA_LONG, i) : 0;
      }
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Bytes of the buffers for intermediates, on all devices. */
  public long bufferBytes() {
    lock.lock();
    try {
      requireOpen();
      long bytes = 0;
      for (Backend backend : backends) {
        bytes +=
            capacity == 0 ? 0 : ggml_h.ggml_backend_sched_get_buffer_size(handle, backend.handle());
      }
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  @Override
  protected void beforeClose() {
    lock.lock(); // never released: nothing may start any more
    free();
  }

  /** One computation of one graph. */
  public final class Computation implements AutoCloseable {
    private final Graph graph;
    private boolean open = true;

    private Computation(Graph graph) {
      this.graph = graph;
    }

    /** Fills an F32 input with {@code data} from {@code offset} on. */
    public Computation set(Tensor input, float[] data, int offset) {
      require(
          input.type() == TensorType.F32 && input.nElements() <= data.length - offset,
          () ->
              "%s cannot be filled from %d floats"
                  .formatted(input.describe(), data.length - offset));
      return set(input, MemorySegment.ofArray(data).asSlice(4L * offset, 4L * input.nElements()));
    }

    /** Fills an F32 input. */
    public Computation set(Tensor input, float[] data) {
      require(
          input.nElements() == data.length,
          () -> "%s cannot be filled from %d floats".formatted(input.describe(), data.length));
      return set(input, data, 0);
    }

    /** Fills an input of integers. */
    public Computation set(Tensor input, int[] data) {
      require(
          input.type() == TensorType.I32 && input.nElements() == data.length,
          () -> "%s cannot be filled from %d ints".formatted(input.describe(), data.length));
      Long limit = graph.context().findIndexLimit(input);
      for (int value : data) {
        require(
            limit == null || (value >= 0 && value < limit),
            () ->
                "%s: expected numbers from 0 to %d, found %d"
                    .formatted(input.describe(), Objects.requireNonNull(limit) - 1, value));
      }
      return set(input, MemorySegment.ofArray(data));
    }

    private Computation set(Tensor input, MemorySegment data) {
      requireCurrent();
      if (ggml_tensor.data(input.handle()).address() == 0) {
        return this; // nothing in the graph reads it, so it has no place
      }
      MemorySegment host = onHost(input);
      if (host.address() != 0) {
        host.copyFrom(data);
        return this;
      }
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment copy = scratch.allocate(data.byteSize(), 64).copyFrom(data);
        ggml_h.ggml_backend_tensor_set(input.handle(), copy, 0, copy.byteSize());
      }
      return this;
    }

    /**
     * Computes.
     *
     * @throws ComputationCancelledException if {@code flag} was set before the end
     * @throws GgmlException if a device reports a failure
     */
    public Computation compute(CancellationFlag flag) {
      requireCurrent();
      Supplier<Integer> run = () -> ggml_h.ggml_backend_sched_graph_compute(handle, graph.handle());
      for (Backend backend : backends) {
        Supplier<Integer> inner = run;
        run = () -> backend.abortable(flag, inner);
      }
      Supplier<Integer> whole = run;
      Turns wanted = turns;
      if (wanted != null) {
        run = () -> wanted.longWork(whole);
      }
      var done = isDivided() ? NativeLog.observeGraph(run) : NativeLog.observe(run);
      if (observer != null) {
        observer.rethrow();
      }
      if (done.result() == ggml_h.GGML_STATUS_ABORTED() || flag.isCancelled()) {
        throw new ComputationCancelledException("The computation was cancelled");
      }
      if (done.result() == ggml_h.GGML_STATUS_ALLOC_FAILED()) {
        throw new OutOfDeviceMemoryException(
            "A device ran out of memory while computing" + done.because());
      }
      if (done.result() != ggml_h.GGML_STATUS_SUCCESS()) {
        throw new GgmlException(
            "The computation failed with status %d%s".formatted(done.result(), done.because()));
      }
      return this;
    }

    /** Computes, without a way to stop it. */
    public Computation compute() {
      return compute(new CancellationFlag());
    }

    /** The values of an F32 output, innermost dimension first. */
    public float[] get(Tensor output) {
      float[] values = new float[Math.toIntExact(output.nElements())];
      get(output, values, 0);
      return values;
    }

    /** Copies the values of an F32 output to {@code destination} from {@code offset} on. */
    public void get(Tensor output, float[] destination, int offset) {
      get(output, 0, Math.toIntExact(output.nElements()), destination, offset);
    }

    /**
     * Copies {@code count} values of an F32 output, from its element {@code from} on, to {@code
     * destination} from {@code offset} on.
     */
    public void get(Tensor output, long from, int count, float[] destination, int offset) {
      require(
          output.type() == TensorType.F32
              && from >= 0
              && count >= 0
              && from <= output.nElements() - count
              && offset >= 0
              && count <= destination.length - offset,
          () ->
              "%d values of %s cannot be read from %d on into %d floats; an output must be F32"
                  .formatted(count, output.describe(), from, destination.length - offset));
      read(
          output,
          from,
          count,
          values ->
              MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, 0, destination, offset, count));
    }

    /** The values of an output of integers, such as those of {@link Tensor#argmax}. */
    public int[] getInts(Tensor output) {
      require(
          output.type() == TensorType.I32,
          () -> "%s cannot be read as integers; it must be I32".formatted(output.describe()));
      int[] values = new int[Math.toIntExact(output.nElements())];
      read(
          output,
          0,
          values.length,
          all -> MemorySegment.copy(all, ValueLayout.JAVA_INT, 0, values, 0, values.length));
      return values;
    }

    /** Gives out values of 4 bytes: where they are, if that is in main memory, or else a copy. */
    private void read(Tensor output, long from, int count, Consumer<MemorySegment> reader) {
      requireCurrent();
      require(
          output.isContiguous(),
          () -> output.describe() + " cannot be read; an output must be contiguous");
      MemorySegment host = onHost(output);
      if (host.address() != 0) {
        reader.accept(host.asSlice(4 * from, 4L * count));
        return;
      }
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment copy = scratch.allocate(4L * count, 64);
        ggml_h.ggml_backend_tensor_get(output.handle(), copy, 4 * from, copy.byteSize());
        reader.accept(copy);
      }
    }

    /** The data of a tensor of values of 4 bytes, NULL if the processor cannot reach them. */
    private MemorySegment onHost(Tensor tensor) {
      MemorySegment buffer = ggml_tensor.buffer(tensor.handle());
      if (buffer.address() == 0 || !ggml_h.ggml_backend_buffer_is_host(buffer)) {
        return MemorySegment.NULL;
      }
      return ggml_tensor.data(tensor.handle()).reinterpret(4 * tensor.nElements());
    }

    private void requireCurrent() {
      if (!open) {
        throw new IllegalStateException("This computation has been closed");
      }
    }

    /** Lets the next computation in. */
    @Override
    public void close() {
      if (open) {
        open = false;
        lock.unlock();
      }
    }
  }
}
