package dev.ocellus.llama;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_context_params;
import dev.ocellus.ggml.AbortSignal;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.ggml.NativeObject;
import dev.ocellus.ggml.NativeStack;
import dev.ocellus.ggml.NodeCallback;
import dev.ocellus.ggml.StoredWeights;
import dev.ocellus.ggml.ThreadPool;
import dev.ocellus.llama.ContextOverflowException.Kind;
import dev.ocellus.nativelib.NativeVersion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.BitSet;
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
  private final int nBatch;
  private final int nUbatch;
  private final int nVocab;
  private final int nPositions;
  private final BatchLimits limits;
  private final boolean unified;
  private final ReentrantLock lock = new ReentrantLock();
  private final CancellationFlag none = new CancellationFlag();
  private volatile CancellationFlag current = none;
  private volatile boolean closing;
  private final @Nullable NodeCallback callback;
  private boolean causal = true;

  /** Entries of the last batch that have logits; libllama is not asked for others. */
  private final BitSet written = new BitSet();

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
    try (Arena scratch = Arena.ofShared()) {
      MemorySegment params = ggml_h.llama_context_default_params(scratch);
      int wanted = ContextGuard.nCtx(model, options);
      llama_context_params.n_ctx(params, wanted);
      llama_context_params.n_batch(params, Math.min(options.nBatch(), wanted));
      llama_context_params.n_ubatch(
          params, Math.min(options.nUbatch(), Math.min(options.nBatch(), wanted)));
      llama_context_params.n_seq_max(params, options.nSeqAll());
      llama_context_params.n_outputs_max(params, ContextGuard.nOutputs(options));
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
      if (this.callback != null) {
        llama_context_params.cb_eval(params, this.callback.stub());
      }
      // the pools are adopted first so that they are freed last
      Accel accel = model.accel();
      if (accel != null) {
        accel.register();
      }
      // while an accelerator multiplies, threads of ggml that look out for work are in its way
      ThreadPool batchPool = threadPool(options.nThreadsBatch(), accel == null);
      ThreadPool pool =
          options.nThreads() == options.nThreadsBatch() && accel == null
              ? batchPool
              : threadPool(options.nThreads(), true);
      var made =
          NativeLog.observeOnOwnThread(() ->
              Accel.wanting(
                  accel,
                  () ->
                      StoredWeights.resolving(
                          model.storedWeights(),
                          () -> ggml_h.llama_init_from_model(model.handle(), params))));
      if (made.result().address() == 0) {
        throw new LlamaException(
            "No context of %d tokens can be made for %s%s"
                .formatted(wanted, model.path(), made.because()));
      }
      this.handle = adopt(made.result(), ggml_h::llama_free);
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
    this.nBatch = ggml_h.llama_n_batch(handle);
    this.nUbatch = ggml_h.llama_n_ubatch(handle);
    this.nVocab = model.vocab().nTokens();
    this.nPositions = model.nPositions();
    this.limits =
        new BatchLimits(
            nBatch,
            nUbatch,
            Math.max(options.nOutputsMax(), options.nSeqMax()),
            options.nSeqMax(),
            nVocab,
            model.sizes().takesEmbeddings() ? model.nEmbdInput() : 0,
            nPositions);
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
   * @throws ContextOverflowException if the cache has no room, or there are more entries than
   *     {@link #nBatch}
   * @throws ComputationCancelledException if it was stopped
   * @throws IllegalArgumentException for what libllama would assert on: a token that does not
   *     exist, embeddings of another width, more outputs than the context was made for
   */
  public void decode(Batch batch, CancellationFlag flag) {
    lock.lock();
    try {
      requireOpen();
      limits.check(batch, causal);
      current = flag;
      written.clear();
      // single tokens end soon anyway, and are kept whole
      var done = batch.size() > 1 ? decodeAbortable(batch, flag) : decodeNow(batch);
      int status = done.result();
      if (callback != null) {
        callback.rethrow();
      }
      switch (status) {
        case 0 -> batch.forEachOutput(written::set);
        case 1 ->
            throw new ContextOverflowException(
                Kind.CONTEXT,
                (long) nCtx + 1,
                nCtx,
                "The context of %d tokens has no room for %d more. Use a larger context (nCtx) or a shorter conversation."
                    .formatted(nCtx, batch.size()));
        case 2 -> throw new ComputationCancelledException("Decoding was cancelled");
        default ->
            throw new LlamaException(
                "libllama could not decode a batch of %d (status %d)%s"
                    .formatted(batch.size(), status, done.because()));
      }
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

  /**
   * Copies the logits after entry {@code i} of the last batch.
   *
   * @param destination room for one float per token of the vocabulary
   */
  public void logits(int i, float[] destination) {
    copyOutput(i, ggml_h::llama_get_logits_ith, nVocab, destination);
  }

  /**
   * Computes a batch of which the last layer's normed states are wanted, of every entry ({@link
   * #state}); its logits are computed, too.
   */
  public void decodeStates(Batch batch, CancellationFlag flag) {
    lock.lock();
    try {
      requireOpen();
      NativeStack.run(() -> ggml_h.llama_set_embeddings(handle, true));
      try {
        decode(batch, flag);
      } finally {
        if (!isClosed()) {
          NativeStack.run(() -> ggml_h.llama_set_embeddings(handle, false));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Copies the state of entry {@code i} of the last batch, of {@link #decodeStates}.
   *
   * @param destination room for {@link LlamaModel#nEmbd()} floats
   */
  public void state(int i, float[] destination) {
    copyOutput(i, ggml_h::llama_get_embeddings_ith, model.nEmbd(), destination);
  }

  private interface Output {
    MemorySegment of(MemorySegment context, int i);
  }

  private void copyOutput(int i, Output output, int length, float[] destination) {
    lock.lock();
    try {
      requireOpen();
      if (i < 0 || !written.get(i)) {
        throw new IllegalArgumentException("Entry %d of the last batch has no output".formatted(i));
      }
      MemorySegment values = output.of(handle, i);
      if (values.address() == 0) {
        throw new LlamaException("libllama has lost the output of entry %d".formatted(i));
      }
      MemorySegment.copy(
          values.reinterpret(4L * length), ValueLayout.JAVA_FLOAT, 0, destination, 0, length);
    } finally {
      lock.unlock();
    }
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

  /** Whether each token sees only those before it, as usual, or all of its batch. */
  public void setCausal(boolean causal) {
    lock.lock();
    try {
      requireOpen();
      NativeStack.run(() -> ggml_h.llama_set_causal_attn(handle, causal));
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
   * Whether the cache still has all that a token at a position of a sequence sees. Layers with a
   * window give away older places when others need room, and do not save them.
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
    lock.lock();
    try {
      requireOpen();
      NativeStack.run(() -> ggml_h.llama_memory_clear(ggml_h.llama_get_memory(handle), true));
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
    try (Arena scratch = Arena.ofShared()) {
      requireOpen();
      ContextGuard.range("sequence", sequence, 0, options.nSeqAll() - 1);
      ContextGuard.range("places", places.size(), 1, nCtx);
      StateShape shape = stateShape();
      long max = shape.maxLength(places.size());
      if (length > max) {
        throw new StateFormatException(
            "the keys and values of %d places: expected at most %d bytes, found %d"
                .formatted(places.size(), max, length));
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
    return "llama.cpp %s, keys %s, values %s, flash attention %s, %s%s"
        .formatted(
            NativeVersion.TAG,
            options.typeK().ggmlName(),
            options.typeV().ggmlName(),
            options.flashAttention(),
            ByteOrder.nativeOrder(),
            switch (options.embeddingAttention()) {
              case BY_POSITION -> "";
              case EVERYWHERE -> ", embeddings attend everywhere";
              case IN_ORDER -> ", embeddings attend in their order";
            });
  }

  /** Waits until everything that was decoded has been computed. */
  public void synchronize() {
    lock.lock();
    try {
      requireOpen();
      NativeStack.run(() -> ggml_h.llama_synchronize(handle));
    } finally {
      lock.unlock();
    }
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
