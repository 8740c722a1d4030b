package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_abort_callback;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_context_params;
import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ComputationCancelledException;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.ggml.NativeObject;
import dev.ocellus.ggml.ObserverCallback;
import dev.ocellus.ggml.OutOfDeviceMemoryException;
import dev.ocellus.ggml.ThreadPool;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.nativelib.NativeVersion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A model at work: the cache of keys and values, and the memory to compute in.
 *
 * <p>Calls are let in one at a time. {@link #close()} stops a running {@link #decode} and waits for
 * it.
 */
public final class LlamaContext extends NativeObject {
  private static final Set<TensorType> CACHE_TYPES =
      EnumSet.of(
          TensorType.F32,
          TensorType.F16,
          TensorType.BF16,
          TensorType.Q8_0,
          TensorType.Q4_0,
          TensorType.Q4_1,
          TensorType.IQ4_NL,
          TensorType.Q5_0,
          TensorType.Q5_1);

  private final LlamaModel model;
  private final ContextOptions options;
  private final MemorySegment handle;
  private final MemorySegment abortCallback;
  private final int nCtx;
  private final int nBatch;
  private final int nUbatch;
  private final int nVocab;
  private final int nEmbd;
  private final int nPositions;
  private final boolean unified;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile CancellationFlag current = new CancellationFlag();
  private volatile boolean closing;
  private final @Nullable ObserverCallback observer;
  private boolean causal = true;

  LlamaContext(
      LlamaModel model,
      ContextOptions options,
      boolean unified,
      @Nullable MatMulObserver observer) {
    this.model = model;
    this.options = options;
    checkOptions(model, options);
    this.unified = unified || options.nSeqMax() == 1;
    this.observer = observer == null ? null : new ObserverCallback(observer, arena());
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_h.llama_context_default_params(scratch);
      int wanted = options.nCtx() == 0 ? model.nCtxTrain() : options.nCtx();
      llama_context_params.n_ctx(params, wanted);
      llama_context_params.n_batch(params, Math.min(options.nBatch(), wanted));
      llama_context_params.n_ubatch(
          params, Math.min(options.nUbatch(), Math.min(options.nBatch(), wanted)));
      llama_context_params.n_seq_max(params, options.nSeqMax());
      llama_context_params.n_outputs_max(
          params, Math.max(options.nOutputsMax(), options.nSeqMax()));
      llama_context_params.n_threads(params, options.nThreads());
      llama_context_params.n_threads_batch(params, options.nThreadsBatch());
      llama_context_params.type_k(params, options.typeK().id());
      llama_context_params.type_v(params, options.typeV().id());
      llama_context_params.flash_attn_type(params, options.flashAttention().value());
      llama_context_params.offload_kqv(params, model.nGpuLayers() != 0);
      llama_context_params.kv_unified(params, unified);
      llama_context_params.yarn_beta_fast(params, model.sizes().yarn().fast());
      llama_context_params.yarn_beta_slow(params, model.sizes().yarn().slow());
      llama_context_params.no_perf(params, true);
      if (this.observer != null) {
        llama_context_params.cb_eval(params, this.observer.stub());
      }
      var made = NativeLog.observe(() -> ggml_h.llama_init_from_model(model.handle(), params));
      if (made.result().address() == 0) {
        close();
        throw new LlamaException(
            "No context of %d tokens can be made for %s%s"
                .formatted(wanted, model.path(), made.because()));
      }
      // the pools are adopted first so that they are freed last
      ThreadPool batchPool = ThreadPool.start(Device.cpu(), options.nThreadsBatch());
      ThreadPool pool =
          options.nThreads() == options.nThreadsBatch()
              ? batchPool
              : ThreadPool.start(Device.cpu(), options.nThreads());
      MemorySegment poolHandle = adopt(pool.handle(), p -> pool.close());
      MemorySegment batchPoolHandle = adopt(batchPool.handle(), p -> batchPool.close());
      this.handle = adopt(made.result(), ggml_h::llama_free);
      if (pool.exists() && batchPool.exists()) {
        ggml_h.llama_attach_threadpool(handle, poolHandle, batchPoolHandle);
      }
    }
    this.abortCallback =
        ggml_abort_callback.allocate(data -> closing || current.isCancelled(), arena());
    this.nCtx = ggml_h.llama_n_ctx(handle);
    this.nBatch = ggml_h.llama_n_batch(handle);
    this.nUbatch = ggml_h.llama_n_ubatch(handle);
    this.nVocab = model.vocab().nTokens();
    this.nEmbd = model.nEmbdInput();
    this.nPositions = model.nPositions();
  }

  private static void checkOptions(LlamaModel model, ContextOptions o) {
    Hyperparameters sizes = model.sizes();
    range("context (-c)", o.nCtx(), 0, 1 << 28);
    range("batch (-b)", o.nBatch(), 1, 1 << 20);
    range("micro-batch (-ub)", o.nUbatch(), 1, 1 << 20);
    range("sequences", o.nSeqMax(), 1, 256);
    range("outputs", o.nOutputsMax(), 1, 1 << 20);
    range("threads (-t)", o.nThreads(), 1, ggml_h.GGML_MAX_N_THREADS());
    range("batch threads (-tb)", o.nThreadsBatch(), 1, ggml_h.GGML_MAX_N_THREADS());
    if (!CACHE_TYPES.contains(o.typeK()) || !CACHE_TYPES.contains(o.typeV())) {
      throw new IllegalArgumentException(
          "cache types (-ctk, -ctv): expected some of %s, found %s and %s"
              .formatted(CACHE_TYPES, o.typeK(), o.typeV()));
    }
    if (o.typeV().isQuantized() && o.flashAttention() == ContextOptions.FlashAttention.OFF) {
      throw new IllegalArgumentException(
          "a quantized value cache (-ctv %s) needs flash attention (-fa on)"
              .formatted(o.typeV().ggmlName()));
    }
    for (TensorType type : new TensorType[] {o.typeK(), o.typeV()}) {
      if (sizes.headSize() % type.blockSize() != 0) {
        throw new IllegalArgumentException(
            "cache types (-ctk, -ctv): %s stores blocks of %d elements, and the heads of this model have %d; use f16"
                .formatted(type.ggmlName(), type.blockSize(), sizes.headSize()));
      }
    }
    long nCtx = o.nCtx() == 0 ? model.nCtxTrain() : o.nCtx();
    long free = Device.cpu().totalMemory();
    long needed = cacheBytes(sizes, o, nCtx);
    if (free > 0 && needed > free && Device.gpus().isEmpty()) {
      throw new OutOfDeviceMemoryException(
          "A context of %d tokens needs %d MiB for keys and values, and this machine has %d MiB of memory. Use a smaller context (-c)."
              .formatted(nCtx, needed >> 20, free >> 20));
    }
  }

  /** Bytes of the cache if every layer keeps all positions, which is the most it can be. */
  private static long cacheBytes(Hyperparameters sizes, ContextOptions o, long nCtx) {
    double perToken = (double) sizes.headSize() * sizes.nHeadKv() * sizes.nLayer();
    double bits = o.typeK().bitsPerElement() + o.typeV().bitsPerElement();
    return (long) (nCtx * perToken * bits / 8);
  }

  private static void range(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s: expected %d to %d, found %d".formatted(name, least, most, value));
    }
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
    return nBatch;
  }

  /** Most tokens that are computed at once. */
  public int nUbatch() {
    return nUbatch;
  }

  /**
   * Computes a batch, putting its keys and values into the cache.
   *
   * @param flag stops the computation when set; on the CPU within one graph node. A stopped batch
   *     leaves the cache as it was before, except for micro-batches that were complete: remove them
   *     with {@link #removeFrom}.
   * @throws ContextOverflowException if the cache has no room
   * @throws ComputationCancelledException if it was stopped
   * @throws IllegalArgumentException for what libllama would assert on: more entries than {@link
   *     #nBatch}, a token that does not exist, embeddings of another width, more outputs than the
   *     context was made for
   */
  public void decode(Batch batch, CancellationFlag flag) {
    lock.lock();
    try {
      requireOpen();
      check(batch);
      current = flag;
      // an upcall between graph nodes costs time that single tokens do not need to pay
      boolean abortable = batch.size() > 1;
      if (abortable) {
        ggml_h.llama_set_abort_callback(handle, abortCallback, MemorySegment.NULL);
      }
      int status;
      NativeLog.Observed<Integer> done;
      try {
        done = NativeLog.observe(() -> ggml_h.llama_decode(handle, batch.handle()));
        status = done.result();
      } finally {
        if (abortable) {
          ggml_h.llama_set_abort_callback(handle, MemorySegment.NULL, MemorySegment.NULL);
        }
      }
      if (observer != null) {
        observer.rethrow();
      }
      switch (status) {
        case 0 -> {}
        case 1 ->
            throw new ContextOverflowException(
                "The context of %d tokens has no room for %d more. Use a larger context (-c) or a shorter conversation."
                    .formatted(nCtx, batch.size()));
        case 2 -> throw new ComputationCancelledException("Decoding was cancelled");
        default ->
            throw new LlamaException(
                "libllama could not decode a batch of %d (status %d)%s"
                    .formatted(batch.size(), status, done.because()));
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * As {@link #decode(Batch, CancellationFlag)}, choosing what each token sees.
   *
   * @param causal whether each token sees only those before it, as usual, or all of its batch
   */
  public void decode(Batch batch, boolean causal, CancellationFlag flag) {
    lock.lock();
    try {
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
    } finally {
      lock.unlock();
    }
  }

  private void check(Batch batch) {
    if (batch.size() == 0) {
      throw new IllegalArgumentException("An empty batch cannot be decoded");
    }
    if (batch.size() > nBatch) {
      throw new IllegalArgumentException(
          "A batch of %d is more than the %d that this context takes (-b)"
              .formatted(batch.size(), nBatch));
    }
    if (!causal && batch.size() > nUbatch) {
      throw new IllegalArgumentException(
          "%d tokens that see each other must fit one micro-batch, which is %d (-ub)"
              .formatted(batch.size(), nUbatch));
    }
    int outputsMax = Math.max(options.nOutputsMax(), options.nSeqMax());
    if (batch.outputs() > outputsMax) {
      throw new IllegalArgumentException(
          "Logits of %d tokens are wanted, and this context was made for %d"
              .formatted(batch.outputs(), outputsMax));
    }
    if (batch.width() != 0 && batch.width() != nEmbd) {
      throw new IllegalArgumentException(
          "Embeddings of %d floats do not fit a model whose tokens have %d"
              .formatted(batch.width(), nEmbd));
    }
    if (batch.width() != 0 && batch.nPositions() != nPositions) {
      throw new IllegalArgumentException(
          "Embeddings of %d positions do not fit a model that wants %d of each"
              .formatted(batch.nPositions(), nPositions));
    }
    for (int i = 0; i < batch.size(); i++) {
      int sequence = batch.sequence(i);
      if (sequence < 0 || sequence >= options.nSeqMax() || batch.position(i) < 0) {
        throw new IllegalArgumentException(
            "Entry %d: sequence %d or position %d is out of range"
                .formatted(i, sequence, batch.position(i)));
      }
      if (batch.width() == 0 && (batch.token(i) < 0 || batch.token(i) >= nVocab)) {
        throw new IllegalArgumentException(
            "Entry %d: token %d is not one of the %d".formatted(i, batch.token(i), nVocab));
      }
    }
  }

  /**
   * Copies the logits after entry {@code i} of the last batch.
   *
   * @param destination room for one float per token of the vocabulary
   */
  public void logits(int i, float[] destination) {
    lock.lock();
    try {
      requireOpen();
      MemorySegment logits = ggml_h.llama_get_logits_ith(handle, i);
      if (logits.address() == 0) {
        throw new IllegalArgumentException("Entry %d of the last batch has no logits".formatted(i));
      }
      MemorySegment.copy(logits, ValueLayout.JAVA_FLOAT, 0, destination, 0, nVocab);
    } finally {
      lock.unlock();
    }
  }

  /** Whether each token sees only those before it, as usual, or all of its batch. */
  public void setCausal(boolean causal) {
    lock.lock();
    try {
      requireOpen();
      ggml_h.llama_set_causal_attn(handle, causal);
      this.causal = causal;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Forgets everything of a sequence from a position on.
   *
   * @return false if the model's memory cannot forget a part, and then nothing is forgotten
   */
  public boolean removeFrom(int sequence, int position) {
    lock.lock();
    try {
      requireOpen();
      range("sequence", sequence, 0, options.nSeqMax() - 1);
      return ggml_h.llama_memory_seq_rm(ggml_h.llama_get_memory(handle), sequence, position, -1);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the cache still has all that a token at a position of a sequence sees. Layers with a
   * window give away older places when others need room, and do not save them.
   */
  public boolean hasPositionsBefore(int sequence, int position) {
    lock.lock();
    try {
      requireOpen();
      range("sequence", sequence, 0, options.nSeqMax() - 1);
      int window = model.slidingWindow();
      if (window == 0 || position == 0) {
        return true;
      }
      int first = ggml_h.llama_memory_seq_pos_min(ggml_h.llama_get_memory(handle), sequence);
      return first >= 0 && first <= Math.max(0, position - window + 1);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets a sequence hold what another one has before a position. Both have it from then on, until
   * both have removed it, and nothing is copied.
   *
   * @param to must hold nothing
   * @throws IllegalStateException if each sequence has a cache of its own
   */
  public void share(int from, int to, int position) {
    lock.lock();
    try {
      requireOpen();
      range("sequence", from, 0, options.nSeqMax() - 1);
      range("sequence", to, 0, options.nSeqMax() - 1);
      requireUnified();
      ggml_h.llama_memory_seq_cp(ggml_h.llama_get_memory(handle), from, to, 0, position);
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
    lock.lock();
    try {
      requireOpen();
      ggml_h.llama_memory_clear(ggml_h.llama_get_memory(handle), true);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes the keys and values of a sequence at the channel's position.
   *
   * @throws IOException if the channel cannot be written
   */
  public void writeState(int sequence, WritableByteChannel channel) throws IOException {
    lock.lock();
    try {
      requireOpen();
      range("sequence", sequence, 0, options.nSeqMax() - 1);
      SequenceState.write(handle, sequence, channel);
    } finally {
      lock.unlock();
    }
  }

  /** Most bytes that {@link #writeState} writes for a sequence of so many places. */
  public long maxStateLength(int nPlaces) {
    return stateShape().maxLength(nPlaces);
  }

  private StateShape stateShape() {
    requireUnified();
    return StateShape.of(model.sizes(), model.slidingWindow(), nPositions > 1, options);
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
    try (Arena scratch = Arena.ofConfined()) {
      requireOpen();
      range("sequence", sequence, 0, options.nSeqMax() - 1);
      range("places", places.size(), 1, nCtx);
      StateShape shape = stateShape();
      long most = shape.maxLength(places.size());
      if (length > most) {
        throw new StateFormatException(
            "the keys and values of %d places: expected at most %d bytes, found %d"
                .formatted(places.size(), most, length));
      }
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
    return "llama.cpp %s, keys %s, values %s, flash attention %s, %s"
        .formatted(
            NativeVersion.TAG,
            options.typeK().ggmlName(),
            options.typeV().ggmlName(),
            options.flashAttention(),
            ByteOrder.nativeOrder());
  }

  /** Waits until everything that was decoded has been computed. */
  public void synchronize() {
    lock.lock();
    try {
      requireOpen();
      ggml_h.llama_synchronize(handle);
    } finally {
      lock.unlock();
    }
  }

  @Override
  @SuppressWarnings("LockNotBeforeTry") // there is nothing to try
  protected void beforeClose() {
    closing = true;
    current.cancel();
    lock.lock(); // when what is running has ended; what waits behind it finds this closed
    lock.unlock();
    model.contextClosed(this);
  }
}
