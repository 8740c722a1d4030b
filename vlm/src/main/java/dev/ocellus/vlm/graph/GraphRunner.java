package dev.ocellus.vlm.graph;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Ggml;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes graphs over the weights of a file.
 *
 * <p>Bind the weights first, {@link #load()} them, then run. A graph is defined once for each key,
 * which must tell apart whatever the definition depends on: the kind of graph, the shapes of its
 * inputs, the cache that it writes. The most recent ones are kept ({@link RunnerOptions#maxPlans}).
 *
 * <p>A text tower of two layers with a causal mask:
 *
 * <pre>{@code
 * try (var runner = GraphRunner.open(path, RunnerOptions.cpu(4))) {
 *   Weights w = runner.weights();
 *   TextEmbedding embedding = TextEmbedding.of(w, 512, 49408, 77);
 *   List<Layer> layers = List.of(Layer.of(w.at("blk.0")), Layer.of(w.at("blk.1")));
 *   runner.load();
 *
 *   int n = ids.length;
 *   int[] positions = IntStream.range(0, n).toArray();
 *   try (GraphRun run =
 *       runner.start(
 *           List.of("text", n),
 *           graph -> {
 *             Tensor at = graph.indexTable("positions", positions, 77);
 *             Tensor x = embedding.forward(graph.indices("ids", n, 49408), at);
 *             AttentionMask mask =
 *                 AttentionMask.of(graph.table("mask", AttentionMask.causal(n), n, n));
 *             for (Layer layer : layers) {
 *               x = layer.forward(x, mask); // x.add(attention.forward(norm.forward(x), mask)), …
 *             }
 *             graph.output("hidden", x);
 *           })) {
 *     float[] hidden = run.set("ids", ids).compute().get("hidden"); // n rows of 512
 *   }
 * }
 * }</pre>
 *
 * <p>Thread-safe; runs wait for each other.
 */
public final class GraphRunner implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final RunnerOptions options;
  private final GgufFile file;
  private final WeightStore store;

  /** With all threads; where weights and what is kept between runs lie. */
  private final SchedulerPool whole;

  private final List<SchedulerPool> onlyWhole;

  /** Asked without the lock, which is held for as long as a batch takes. */
  private volatile boolean observed;

  // guarded by lock, as all that follows
  private final PlanCache plans;
  private final Shares shares;
  private final List<PersistentTensors> kept = new ArrayList<>();
  private boolean running;
  private boolean closed;

  private GraphRunner(Path path, RunnerOptions options) throws IOException {
    this.options = options;
    plans = new PlanCache(options.maxPlans());
    try {
      Ggml.initialize();
      file = own(GgufFile.open(path));
      file.requireReadableByGgml();
      List<Device> gpus = options.useGpu() ? Device.gpus() : List.of();
      Accel accel = gpus.isEmpty() ? accelerator() : null;
      Device device = gpus.isEmpty() ? Device.cpu() : gpus.getFirst();
      whole = own(new SchedulerPool(device, accel, options.nThreads()));
      onlyWhole = List.of(whole);
      plans.add(onlyWhole);
      shares = own(new Shares(options.nThreads(), accel, plans));
      store =
          own(
              new WeightStore(
                  file,
                  whole.main(),
                  options.precision(),
                  accel,
                  options.weights() == WeightPlacement.IN_FILE));
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * Opens a GGUF file.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.OcellusException if it is damaged
   */
  public static GraphRunner open(Path path, RunnerOptions options) throws IOException {
    return new GraphRunner(path, options);
  }

  /** Its libraries are large, and loaded only where some product is. */
  private @Nullable Accel accelerator() {
    if (!Accel.isWorthwhile(file)) {
      return null;
    }
    Optional<Accel> found =
        switch (options.precision()) {
          case EXACT, Q8_0 -> Accel.find(options.accelerator(), false);
          case STORED -> Accel.find(options.accelerator(), file);
          case BF16, FAST -> Accel.find(options.accelerator(), true);
        };
    return found.orElse(null);
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  /** The file, for its metadata. */
  public GgufFile file() {
    return file;
  }

  /** The weights of the file, to be bound before {@link #load()}. */
  public Weights weights() {
    return store.weights();
  }

  /**
   * Brings all weights that were bound to the device. Nothing can be bound afterwards.
   *
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if the device has too little free memory
   */
  public void load() {
    store.load();
    if (options.weights() == WeightPlacement.PACKED) {
      store.packWhenUsed();
    }
  }

  /** Where graphs are computed. */
  public Device device() {
    return whole.device();
  }

  /** Bytes of weights that are used where the file is mapped, without a copy. */
  public long mappedBytes() {
    return store.mappedBytes();
  }

  /** As {@link WeightStore#releasePages()}, between runs. */
  public void releaseWeights() {
    store.releasePages();
  }

  /**
   * Values that outlive a run, such as a KV cache. Make the tensors, allocate them, and use them in
   * definitions under keys that name this object. Closing it ends all graphs that are kept; closing
   * the runner closes it.
   */
  public PersistentTensors newPersistentTensors() {
    return locked(() -> {
      kept.removeIf(PersistentTensors::isClosed);
      var persistent = new PersistentTensors(whole.main(), () -> locked(this::dropIdle));
      kept.add(persistent);
      return persistent;
    });
  }

  /**
   * Starts a run, which other threads wait for until it is closed.
   *
   * @param key what the definition depends on; equal keys must mean equal graphs
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if a device has no room for
   *     intermediates
   * @throws IllegalStateException if this thread has a run open already
   */
  public GraphRun start(Object key, GraphDefinition definition) {
    lock.lock();
    try {
      requireReady();
      PlanCache.Kept plan = plans.get(key, definition, onlyWhole);
      try {
        GraphRun run = plan.get(0).start(() -> plans.drop(plan), this::end);
        running = true;
        return run;
      } catch (Throwable e) {
        plans.drop(plan);
        throw e;
      }
    } catch (Throwable e) {
      lock.unlock();
      throw e;
    }
  }

  private void end() {
    running = false;
    lock.unlock();
  }

  /**
   * Into how many shares a batch of at least as many items is divided: one for each thread on a
   * CPU, each computed by that thread alone. They wait for each other at the end only, where
   * threads that share every operation wait for each other behind each of them.
   */
  public int nShares() {
    return device().kind() == Device.Kind.CPU && !observed ? options.nThreads() : 1;
  }

  /**
   * Computes a batch, and returns when all of it is done; other threads wait meanwhile. Items that
   * are left when all shares have equally many are computed with all threads, as is a batch of
   * fewer items than there are threads.
   *
   * <p>What the first share that failed threw is thrown here, after the others have ended.
   *
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if a device has no room for
   *     intermediates
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set before the
   *     end
   * @throws IllegalStateException if this thread has a run open already
   */
  public void run(BatchGraph batch, int nItems, CancellationFlag flag) {
    locked(() -> {
      requireReady();
      int nShares = nShares();
      int each = nShares == 1 ? 0 : nItems / nShares;
      if (each > 0) {
        runShares(batch, each, flag);
      }
      int rest = nItems - each * nShares;
      if (rest > 0) {
        try (GraphRun run = start(batch.key(rest), graph -> batch.define(graph, rest))) {
          batch.compute(run, nItems - rest, rest, flag);
        }
      }
    });
  }

  private void runShares(BatchGraph batch, int each, CancellationFlag flag) {
    running = true;
    try {
      shares.run(batch, each, flag);
    } finally {
      running = false;
    }
  }

  private void dropIdle() {
    requireNotRunning();
    plans.dropAll();
  }

  /**
   * Runs a graph once and gives out tensors that were named in it, for comparing layers with a
   * reference.
   *
   * @param inputs sets the inputs
   * @param names the tensors, or none for all floats that have a name
   * @return values by name, innermost dimension first, in the order asked for or named
   */
  public Map<String, float[]> intermediates(
      GraphDefinition definition, Consumer<GraphRun> inputs, List<String> names) {
    return locked(() -> {
      requireReady();
      // with a scheduler of its own, since one gives a graph that looks like the last one the same
      // memory, and in that one intermediates were overwritten
      try (var scheduler = whole.newScheduler()) {
        Plan plan = Plan.build(definition, scheduler, true);
        try (GraphRun run = plan.start(() -> {}, () -> {})) {
          inputs.accept(run);
          run.compute();
          Map<String, float[]> values = new LinkedHashMap<>();
          for (String name : names.isEmpty() ? plan.graph().names() : names) {
            Tensor tensor = plan.graph().named(name);
            if (!names.isEmpty() || isReadable(tensor)) {
              values.put(name, run.get(tensor));
            }
          }
          return values;
        } finally {
          plan.drop();
        }
      }
    });
  }

  private static boolean isReadable(Tensor tensor) {
    return tensor.type() == TensorType.F32 && tensor.isContiguous();
  }

  /** Bytes that a graph would need for its intermediates. Nothing is computed or kept. */
  public long bytesNeeded(GraphDefinition definition) {
    return locked(() -> {
      requireReady();
      try (var scheduler = whole.newScheduler()) {
        Plan plan = Plan.build(definition, scheduler, false);
        try {
          return scheduler.bytesNeeded(plan.graph());
        } finally {
          plan.drop();
        }
      }
    });
  }

  /** Bytes that are held for intermediates. */
  public long bufferBytes() {
    return locked(() -> {
      requireOpen();
      return plans.bufferBytes();
    });
  }

  /**
   * Lets somebody watch the products of weights and activations, which makes runs slower. Batches
   * are not divided any more, so that one product is seen at a time.
   */
  public void observe(MatMulObserver watcher) {
    locked(() -> {
      requireOpen();
      observed = true;
      plans.observe(watcher);
    });
  }

  /**
   * Lets graphs have the processor in turns with other work, to which they give way between their
   * nodes. Before the first of them is computed.
   */
  public void takeTurns(Turns turns) {
    locked(() -> {
      requireReady();
      whole.takeTurns(turns);
      shares.takeTurns(turns);
    });
  }

  private void requireReady() {
    requireOpen();
    requireNotRunning();
  }

  /** Only this thread can have one, as it has the lock. */
  private void requireNotRunning() {
    if (running) {
      throw new IllegalStateException("This thread has a run of this runner open; close it first");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("GraphRunner has been closed");
    }
  }

  private void locked(Runnable action) {
    locked(() -> {
      action.run();
      return true;
    });
  }

  private <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  /** Frees everything; waits for a run of another thread. */
  @Override
  public void close() {
    locked(() -> {
      if (closed) {
        return;
      }
      requireNotRunning();
      closed = true;
      List.copyOf(kept).forEach(PersistentTensors::close);
      plans.free();
      owned.forEach(GraphRunner::closeQuietly);
      owned.clear();
    });
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("could not close " + resource, e);
    }
  }
}
