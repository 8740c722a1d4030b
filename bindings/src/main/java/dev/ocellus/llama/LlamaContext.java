package dev.ocellus.llama;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ggml.AbortSignal;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.ggml.NativeObject;
import dev.ocellus.ggml.NativeStack;
import dev.ocellus.ggml.NodeCallback;
import dev.ocellus.ggml.ThreadPool;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A model at work: the cache of keys and values, and the memory to compute in.
 *
 * <p>Calls are let in one at a time. {@link #close()} stops a running {@link #decode} and waits for
 * it.
 */
public final class LlamaContext extends NativeObject {
  private final LlamaModel model;
  private final ContextOptions options;
  private final MemorySegment handle;
  private final AbortSignal abort;
  private final int nCtx;
  private final BatchLimits limits;
  private final boolean unified;
  private final ReentrantLock lock = new ReentrantLock();
  private final CancellationFlag none = new CancellationFlag();
  private volatile CancellationFlag current = none;
  private volatile boolean closing;
  private final @Nullable NodeCallback callback;
  private boolean causal = true;
  private final BatchOutputs outputs = new BatchOutputs();

  LlamaContext(
      LlamaModel model,
      ContextOptions options,
      boolean unified,
      @Nullable Function<Arena, NodeCallback> callback) {
    this.model = model;
    this.options = options;
    ContextGuard.check(model, options);
    this.unified = unified || options.nSeqAll() == 1;
    this.callback = callback == null ? null : callback.apply(arena());
    this.abort = new AbortSignal(arena());
    try {
      // threads of ggml that look out for work are in the way of what others do between two steps:
      // sampling for several conversations, encoding an image that one of them shows
      boolean polling = options.nSeqMax() == 1;
      // and while an accelerator multiplies, in its way
      boolean pollingInBatches = polling && model.accel() == null;
      // the pools are adopted first so that they are freed last
      ThreadPool batchPool = threadPool(options.nThreadsBatch(), pollingInBatches);
      ThreadPool pool =
          options.nThreads() == options.nThreadsBatch() && polling == pollingInBatches
              ? batchPool
              : threadPool(options.nThreads(), polling);
      this.handle =
          adopt(NewContext.make(model, options, unified, this.callback), ggml_h::llama_free);
      NativeStack.run(() -> {
        if (pool.exists() && batchPool.exists()) {
          ggml_h.llama_attach_threadpool(handle, pool.handle(), batchPool.handle());
        }
        ggml_h.llama_set_abort_callback(handle, abort.function(), abort.data());
      });
    } catch (Throwable e) {
      close();
      throw e;
    }
    this.nCtx = ggml_h.llama_n_ctx(handle);
    this.limits = BatchLimits.of(handle, model, options);
  }

  public LlamaModel model() {
    return model;
  }

  public ContextOptions options() {
    return options;
  }

  /** Tokens that the context holds. */
  public int nCtx() {
    return nCtx;
  }

  /** Most tokens of one {@link #decode}. */
  public int nBatch() {
    return limits.nBatch();
  }

  /** Most tokens that are computed at once. */
  public int nUbatch() {
    return limits.nUbatch();
  }

  /**
   * Computes a batch, putting its keys and values into the cache.
   *
   * @param flag stops the computation when set; on the CPU within one graph node. A stopped batch
   *     leaves the cache as it was before, except for micro-batches that were complete: remove them
   *     with {@link #removeFrom}.
   * @throws ContextOverflowException if the cache has no room, or there are more entries than
   *     {@link #nBatch}
   * @throws ComputationCancelledException if it was stopped
   * @throws OutOfDeviceMemoryException if a device's memory, or the Java heap of an accelerator,
   *     ran out meanwhile
   * @throws IllegalArgumentException for what libllama would assert on: a token that does not
   *     exist, embeddings of another width, more outputs than the context was made for
   */
  public void decode(Batch batch, CancellationFlag flag) {
    lock.lock();
    try {
      requireOpen();
      limits.check(batch, causal);
      current = flag;
      outputs.clear();
      // single tokens end soon anyway, and are kept whole
      var done = batch.size() > 1 ? decodeAbortable(batch, flag) : decodeNow(batch);
      if (callback != null) {
        callback.rethrow();
      }
      DecodeStatus.requireDecoded(done, batch, nCtx);
      outputs.set(batch);
    } finally {
      current = none; // closing cancels what is running, not what a caller uses for the next
      lock.unlock();
    }
  }

  private NativeLog.Observed<Integer> decodeAbortable(Batch batch, CancellationFlag flag) {
    abort.lower();
    if (closing) { // in between
      abort.raise();
    }
    try {
      return flag.whileWatched(abort::raise, () -> decodeNow(batch));
    } finally {
      abort.lower();
    }
  }

  private ThreadPool threadPool(int nThreads, boolean polling) {
    ThreadPool pool = ThreadPool.start(Device.cpu(), nThreads, polling);
    adopt(pool.handle(), p -> pool.close());
    return pool;
  }

  private NativeLog.Observed<Integer> decodeNow(Batch batch) {
    if (callback != null) {
      callback.begin(causal);
    }
    boolean accelerated = model.accel() != null && Accel.mayTake(batch.size());
    return batch.use(struct -> {
      Supplier<Integer> decode = () -> ggml_h.llama_decode(handle, struct);
      return accelerated ? NativeLog.observeWithRoom(decode) : NativeLog.observe(decode);
    });
  }

  /**
   * As {@link #decode(Batch, CancellationFlag)}, choosing what each token attends to.
   *
   * @param causal whether each token attends only to those before it, as usual, or to all of its
   *     batch
   */
  public void decode(Batch batch, boolean causal, CancellationFlag flag) {
    use(context -> {
      boolean before = this.causal;
      if (before != causal) {
        setCausal(causal);
      }
      try {
        decode(batch, flag);
      } finally {
        if (before != causal && !isClosed()) {
          setCausal(before);
        }
      }
    });
  }

  /**
   * Copies the logits after entry {@code i} of the last batch.
   *
   * @param destination room for one float per token of the vocabulary
   */
  public void logits(int i, float[] destination) {
    use(context -> outputs.logits(context, i, limits.nVocab(), destination));
  }

  /**
   * Computes a batch of which the last layer's normed states are wanted, of every entry ({@link
   * #state}); its logits are computed, too.
   */
  public void decodeStates(Batch batch, CancellationFlag flag) {
    use(context -> {
      NativeStack.run(() -> ggml_h.llama_set_embeddings(context, true));
      try {
        decode(batch, flag);
      } finally {
        if (!isClosed()) {
          NativeStack.run(() -> ggml_h.llama_set_embeddings(context, false));
        }
      }
    });
  }

  /**
   * Copies the state of entry {@code i} of the last batch, of {@link #decodeStates}.
   *
   * @param destination room for {@link LlamaModel#nEmbd()} floats
   */
  public void state(int i, float[] destination) {
    use(context -> outputs.state(context, i, model.nEmbd(), destination));
  }

  /** For what belongs to a context and has a class of its own. */
  void use(Consumer<MemorySegment> action) {
    lock.lock();
    try {
      requireOpen();
      action.accept(handle);
    } finally {
      lock.unlock();
    }
  }

  /** Whether each token attends only to those before it, as usual, or to all of its batch. */
  public void setCausal(boolean causal) {
    use(context -> {
      NativeStack.run(() -> ggml_h.llama_set_causal_attn(context, causal));
      this.causal = causal;
    });
  }

  /**
   * Forgets everything of a sequence from a position on.
   *
   * @return false if the model's memory cannot forget a part, and then nothing is forgotten
   */
  public boolean removeFrom(int sequence, int position) {
    return use(
        sequence,
        handle ->
            NativeStack.call(() ->
                ggml_h.llama_memory_seq_rm(
                    ggml_h.llama_get_memory(handle), sequence, position, -1)));
  }

  /**
   * Does several things with this context while nobody else uses it. A thread that decodes without
   * a pause would let others in between them only one at a time.
   */
  public <T extends @Nullable Object> T together(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  /** Does something with a sequence while nobody else uses the context. */
  <T> T use(int sequence, Function<MemorySegment, T> action) {
    lock.lock();
    try {
      requireOpen();
      ContextGuard.range("sequence", sequence, 0, options.nSeqAll() - 1);
      return action.apply(handle);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the cache still has all that a token at a position of a sequence attends to. Layers
   * with a window give away older places when others need room, and do not save them.
   */
  public boolean hasPositionsBefore(int sequence, int position) {
    int window = model.slidingWindow();
    return use(
        sequence,
        handle -> {
          if (window == 0 || position == 0) {
            return true;
          }
          int first = ggml_h.llama_memory_seq_pos_min(ggml_h.llama_get_memory(handle), sequence);
          return first >= 0 && first <= Math.max(0, position - window + 1);
        });
  }

  /**
   * Lets a sequence hold what another one has before a position. Both have it from then on, until
   * both have removed it, and nothing is copied.
   *
   * @param to must hold nothing
   * @throws IllegalStateException if each sequence has a cache of its own, or the model's memory
   *     cannot be divided ({@link LlamaModel#canRollBack})
   */
  public void share(int from, int to, int position) {
    if (!model.canRollBack()) {
      throw new IllegalStateException("this model's memory has no parts that can be shared");
    }
    copyBefore(from, to, position);
  }

  /**
   * As {@link #share}; of recurrent states, the other sequence gets those behind the last token,
   * wherever that is.
   */
  void copyBefore(int from, int to, int position) {
    lock.lock();
    try {
      requireOpen();
      ContextGuard.range("sequence", from, 0, options.nSeqAll() - 1);
      ContextGuard.range("sequence", to, 0, options.nSeqAll() - 1);
      requireUnified();
      NativeStack.run(
          () -> ggml_h.llama_memory_seq_cp(ggml_h.llama_get_memory(handle), from, to, 0, position));
    } finally {
      lock.unlock();
    }
  }

  private void requireUnified() {
    if (!unified) {
      throw new IllegalStateException("each sequence of this context has a cache of its own");
    }
  }

  /** Forgets everything. */
  public void clear() {
    use(context ->
        NativeStack.run(() -> ggml_h.llama_memory_clear(ggml_h.llama_get_memory(context), true)));
  }

  /**
   * Writes the keys and values of a sequence, and its recurrent states, at the channel's position.
   *
   * @throws IOException if the channel cannot be written
   */
  public void writeState(int sequence, WritableByteChannel channel) throws IOException {
    lock.lock();
    try {
      requireOpen();
      ContextGuard.range("sequence", sequence, 0, options.nSeqAll() - 1);
      SequenceState.write(handle, sequence, channel);
    } finally {
      lock.unlock();
    }
  }

  /** Most bytes that {@link #writeState} writes for a sequence of so many places. */
  public long maxStateLength(int nPlaces) {
    return stateShape().maxLength(nPlaces);
  }

  /** How a sequence of this context is written. */
  StateShape stateShape() {
    requireUnified();
    return StateShape.of(model.sizes(), model.slidingWindow(), limits.nPositions() > 1, options);
  }

  /**
   * Replaces a sequence by one that {@link #writeState} wrote, in a context of the same model and
   * the same {@link #stateKind()}. The bytes may come from anybody: everything that libllama acts
   * on is checked before it sees them.
   *
   * @param places what stands in the sequence
   * @return false if they do not fit, or hold numbers that are not finite, and then the sequence is
   *     empty
   * @throws IOException if the channel cannot be read
   * @throws StateFormatException if they are not the keys and values of such places in such a
   *     context, and then nothing is changed
   */
  public boolean readState(
      int sequence, FileChannel channel, long offset, long length, SequencePlaces places)
      throws IOException {
    lock.lock();
    try (Arena scratch = Arena.ofShared()) {
      requireOpen();
      ContextGuard.range("sequence", sequence, 0, options.nSeqAll() - 1);
      ContextGuard.range("places", places.size(), 1, nCtx);
      StateShape shape = stateShape();
      shape.requireLength(places.size(), length);
      MemorySegment data = SequenceState.load(channel, offset, length, scratch);
      boolean done =
          StateReader.check(data, shape, places) && SequenceState.put(handle, sequence, data);
      if (!done) {
        removeFrom(sequence, 0);
      }
      return done;
    } finally {
      lock.unlock();
    }
  }

  /** What the form of the bytes of {@link #writeState} depends on besides the model. */
  public String stateKind() {
    return options.stateKind();
  }

  /** Waits until everything that was decoded has been computed. */
  public void synchronize() {
    use(context -> NativeStack.run(() -> ggml_h.llama_synchronize(context)));
  }

  @Override
  @SuppressWarnings("LockNotBeforeTry") // there is nothing to try
  protected void beforeClose() {
    closing = true;
    abort.raise();
    current.cancel();
    lock.lock(); // when what is running has ended; what waits behind it finds this closed
    lock.unlock();
    model.contextClosed(this);
  }
}
