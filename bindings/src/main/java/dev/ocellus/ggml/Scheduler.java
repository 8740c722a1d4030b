package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
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

  /** The native scheduler, made anew where it is too small for a graph. */
  private MemorySegment handleFor(Graph graph) {
    if (graph.size() > capacity) {
      free();
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, backends.length);
        for (int i = 0; i < backends.length; i++) {
          list.setAtIndex(ValueLayout.ADDRESS, i, backends[i].handle());
        }
        handle =
            ggml_h.ggml_backend_sched_new(
                list, MemorySegment.NULL, backends.length, graph.size(), false, true);
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
      ggml_h.ggml_backend_sched_free(handle);
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
        if (!graph.allocateOnce()) {
          throw new IllegalStateException(
              "The memory of this graph's tensors has gone to another graph; build it again");
        }
        allocated = null;
        MemorySegment sched = handleFor(graph);
        ggml_h.ggml_backend_sched_reset(sched);
        var done =
            NativeLog.observe(() -> ggml_h.ggml_backend_sched_alloc_graph(sched, graph.handle()));
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

  /**
   * Bytes of the buffers for intermediates that a graph would need, on all devices. Nothing is
   * allocated. Use a graph that is not to be computed, on a scheduler that has computed nothing.
   */
  public long bytesNeeded(Graph graph) {
    lock.lock();
    try (Arena scratch = Arena.ofConfined()) {
      requireOpen();
      require(allocated == null, () -> "bytesNeeded: the scheduler holds a graph already");
      MemorySegment sizes = scratch.allocate(ValueLayout.JAVA_LONG, backends.length);
      MemorySegment sched = handleFor(graph);
      ggml_h.ggml_backend_sched_reserve_size(sched, graph.handle(), sizes);
      ggml_h.ggml_backend_sched_reset(sched);
      long bytes = 0;
      for (int i = 0; i < backends.length; i++) {
        bytes += sizes.getAtIndex(ValueLayout.JAVA_LONG, i);
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
      int[] status = new int[1];
      Runnable run =
          () -> status[0] = ggml_h.ggml_backend_sched_graph_compute(handle, graph.handle());
      for (Backend backend : backends) {
        Runnable inner = run;
        run = () -> backend.abortable(flag, inner);
      }
      Runnable all = run;
      var done =
          NativeLog.observe(() -> {
            all.run();
            return status[0];
          });
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
      requireCurrent();
      require(
          output.type() == TensorType.F32
              && output.isContiguous()
              && output.nElements() <= destination.length - offset,
          () ->
              "%s cannot be read into %d floats; an output must be contiguous F32"
                  .formatted(output.describe(), destination.length - offset));
      try (Arena scratch = Arena.ofConfined()) {
        MemorySegment copy = scratch.allocate(4 * output.nElements(), 64);
        ggml_h.ggml_backend_tensor_get(output.handle(), copy, 0, copy.byteSize());
        MemorySegment.copy(
            copy,
            ValueLayout.JAVA_FLOAT,
            0,
            destination,
            offset,
            Math.toIntExact(output.nElements()));
      }
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
