package dev.ocellus.llama;

import dev.ocellus.Setting;
import dev.ocellus.compute.GpuSelection;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_model_params;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Ggml;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.ggml.NativeObject;
import dev.ocellus.ggml.NodeCallback;
import dev.ocellus.ggml.NonCausalMasks;
import dev.ocellus.ggml.ObserverCallback;
import dev.ocellus.ggml.OrderedMasks;
import dev.ocellus.ggml.StopBehind;
import dev.ocellus.ggml.StoredWeights;
import dev.ocellus.ggml.Thrown;
import dev.ocellus.ggml.Upcalls;
import dev.ocellus.gguf.GgufFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A text model. Its weights are loaded once and shared by all contexts.
 *
 * <p>Thread-safe. Closing it closes the contexts that are still open first, newest first.
 */
public final class LlamaModel extends NativeObject {
  private static final BiConsumer<MemorySegment, Arena> NOTHING_MORE = (params, scratch) -> {};

  private final Path path;
  private final MemorySegment handle;
  private final Vocab vocab;
  private final Deque<LlamaContext> contexts = new ArrayDeque<>();
  private final int nGpuLayers;
  private final @Nullable Accel accel;
  private final @Nullable StoredWeights storedWeights;
  private final @Nullable Hyperparameters sizes;

  /**
   * @param accel what takes its large products; null for nothing
   * @param storedWeights quantized ones that it takes; null for none
   * @param sizes what the guard has read; null for a vocabulary without weights
   */
  private LlamaModel(
      Path path,
      MemorySegment address,
      int nGpuLayers,
      @Nullable Accel accel,
      @Nullable StoredWeights storedWeights,
      TokenizerGuard.Limits limits,
      @Nullable Hyperparameters sizes) {
    this.path = path;
    this.storedWeights = storedWeights;
    if (storedWeights != null) { // first, so that it is closed last
      adopt(MemorySegment.NULL, none -> storedWeights.close());
    }
    this.handle = adopt(address, ggml_h::llama_model_free);
    this.vocab = new Vocab(path, borrow(ggml_h.llama_model_get_vocab(handle)), limits);
    this.nGpuLayers = nGpuLayers;
    this.accel = accel;
    this.sizes = sizes;
  }

  /**
   * Loads a GGUF text model. Whatever libllama would end the process on is refused before it sees
   * the file.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.gguf.GgufFormatException if it is damaged or no GGUF file
   * @throws dev.ocellus.UnsupportedArchitectureException if it is no text model, or of a kind that
   *     is not supported
   * @throws LlamaException if its parts do not fit together
   * @throws CancellationException if the progress callback answered false
   */
  public static LlamaModel load(Path path, ModelOptions options) throws IOException {
    Ggml.initializeFully();
    ModelOptions wanted = options.withGpuLayers(gpuLayers(options.nGpuLayers()));
    LlamaModel model = null;
    GgufFile file = GgufFile.open(path);
    try {
      ModelGuard.Checked checked = ModelGuard.check(file, options.allowUnchecked());
      Accel accel = Accel.ofTextModel(options.accelerator(), file).orElse(null);
      if (accel != null && Accel.takesMost(file)) {
        // in the layout of ggml's kernels for AMX, which are slower, nothing else can read them
        wanted = wanted.withRepack(false);
      }
      boolean plain = PlainLayout.isNeeded(file) && StoredWeights.hasMatrixUnit();
      boolean onGpu = wanted.nGpuLayers() != 0 && !Device.gpus().isEmpty();
      if (plain && onGpu) {
        wanted = wanted.withRepack(false); // what is not on the GPU, whichever that is
      }
      MappedWeights mapped = new MappedWeights(path);
      StoredWeights stored = storedWeights(file, wanted.nGpuLayers(), accel);
      model =
          load(
              path,
              wanted,
              accel,
              stored,
              checked.limits(),
              checked.sizes(),
              plain && !onGpu ? PlainLayout::apply : NOTHING_MORE);
      mapped.releaseIfCopied();
      return model;
    } finally {
      if (model == null || model.storedWeights == null) { // those read the file, and close it
        file.close();
      }
    }
  }

  private static @Nullable StoredWeights storedWeights(
      GgufFile file, int nGpuLayers, @Nullable Accel accel) {
    boolean onGpu = nGpuLayers != 0 && !Device.gpus().isEmpty();
    return accel == null || onGpu ? null : StoredWeights.of(file, accel).orElse(null);
  }

  /**
   * Loads only the vocabulary of a model, of whatever architecture. {@link #newContext} is refused.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.gguf.GgufFormatException if it is damaged or no GGUF file
   * @throws LlamaException if its tokenizer is not supported, or damaged
   */
  public static LlamaModel loadVocabulary(Path path) throws IOException {
    Ggml.initialize();
    TokenizerGuard.Limits limits;
    try (GgufFile file = GgufFile.open(path)) {
      limits = ModelGuard.checkVocabulary(file);
    }
    var options = ModelOptions.defaults().withGpuLayers(0);
    return load(path, options, null, null, limits, null, NOTHING_MORE);
  }

  /**
   * As {@link #loadVocabulary}, of a file whose weights something else computes: its architecture
   * may be one that libllama has never heard of.
   */
  public static LlamaModel loadTokenizer(Path path) throws IOException {
    Ggml.initialize();
    TokenizerGuard.Limits limits;
    try (GgufFile file = GgufFile.open(path)) {
      limits = ModelGuard.checkTokenizer(file);
    }
    var options = ModelOptions.defaults().withGpuLayers(0);
    return load(path, options, null, null, limits, null, ArchitectureOverride::apply);
  }

  private static LlamaModel load(
      Path path,
      ModelOptions options,
      @Nullable Accel accel,
      @Nullable StoredWeights stored,
      TokenizerGuard.Limits limits,
      @Nullable Hyperparameters sizes,
      BiConsumer<MemorySegment, Arena> more) {
    try (Arena scratch = Arena.ofShared()) {
      MemorySegment params = ggml_h.llama_model_default_params(scratch);
      more.accept(params, scratch);
      llama_model_params.n_gpu_layers(params, options.nGpuLayers());
      if (GpuSelection.selected() >= 0 && options.nGpuLayers() != 0) {
        llama_model_params.split_mode(params, ggml_h.LLAMA_SPLIT_MODE_NONE());
        llama_model_params.main_gpu(params, GpuSelection.selected());
      }
      llama_model_params.vocab_only(params, sizes == null);
      llama_model_params.load_mode(
          params,
          options.memoryMapped() ? ggml_h.LLAMA_LOAD_MODE_MMAP() : ggml_h.LLAMA_LOAD_MODE_NONE());
      llama_model_params.use_extra_bufts(params, options.repack());
      Progress progress = new Progress(options.progress());
      llama_model_params.progress_callback(params, progress.stub(scratch));
      MemorySegment name = scratch.allocateFrom(path.toString());
      var loaded =
          NativeLog.observeOnOwnThread(() -> ggml_h.llama_model_load_from_file(name, params));
      if (loaded.result().address() == 0) {
        Thrown.rethrow(progress.thrown);
        if (progress.stopped) {
          throw new CancellationException("Loading " + path + " was cancelled");
        }
        throw new LlamaException(
            "%s cannot be loaded as a text model%s".formatted(path, loaded.because()));
      }
      return new LlamaModel(
          path, loaded.result(), options.nGpuLayers(), accel, stored, limits, sizes);
    }
  }

  private static int gpuLayers(int wanted) {
    if (wanted == 0) {
      return 0;
    }
    if (wanted > 0 && Device.gpus().isEmpty()) {
      throw new LlamaException(
              "%d layers are to go to a GPU (nGpuLayers), but ggml sees none here. Leave that out to run on the CPU, or install a GPU variant of the native libraries and its driver (docs/native-libraries.md)."
                  .formatted(wanted))
          .about(Setting.GPU_LAYERS);
    }
    return wanted;
  }

  /** Carries libllama's progress to the caller; what is thrown there stops loading. */
  private static final class Progress {
    private static final FunctionDescriptor DESCRIPTOR =
        FunctionDescriptor.of(
            ValueLayout.JAVA_BOOLEAN, ValueLayout.JAVA_FLOAT, ValueLayout.JAVA_LONG);

    private final @Nullable DoublePredicate listener;
    private boolean stopped;
    private @Nullable Throwable thrown;

    Progress(@Nullable DoublePredicate listener) {
      this.listener = listener;
    }

    MemorySegment stub(Arena arena) {
      return Upcalls.stub(MethodHandles.lookup(), this, "report", DESCRIPTOR, arena, Float.NaN, 0L);
    }

    @SuppressWarnings("UnusedVariable") // the callback's signature
    private boolean report(float share, long userData) {
      try {
        stopped |= listener != null && !Float.isNaN(share) && !listener.test(share);
      } catch (Throwable e) { // nothing may cross into native code
        thrown = e;
        stopped = true;
      }
      return !stopped;
    }
  }

  MemorySegment handle() {
    requireOpen();
    return handle;
  }

  /** What the guard has read, for contexts. */
  Hyperparameters sizes() {
    if (sizes == null) {
      throw new IllegalStateException("Only the vocabulary of %s was loaded".formatted(path));
    }
    return sizes;
  }

  /** The file that the model was loaded from. */
  public Path path() {
    return path;
  }

  public Vocab vocab() {
    return vocab;
  }

  /** Floats of one input embedding. */
  public int nEmbdInput() {
    return ggml_h.llama_model_n_embd_inp(handle());
  }

  /** Floats of a hidden state. */
  public int nEmbd() {
    return ggml_h.llama_model_n_embd_out(handle());
  }

  public int nLayer() {
    return ggml_h.llama_model_n_layer(handle());
  }

  /** Tokens of context that the model was trained with. */
  public int nCtxTrain() {
    return ggml_h.llama_model_n_ctx_train(handle());
  }

  /**
   * Whether some layers see only a window of the tokens before. Of those, a saved sequence has the
   * last window only.
   */
  public boolean hasSlidingWindow() {
    return slidingWindow() > 0;
  }

  /** How many tokens the layers with a window see, their own included; 0 if there are none. */
  public int slidingWindow() {
    return ggml_h.llama_model_n_swa(handle());
  }

  /**
   * Whether a sequence can forget its end, and two can have a beginning in common. Recurrent states
   * are those behind the last token: such a sequence goes on or is emptied.
   */
  public boolean canRollBack() {
    return !ggml_h.llama_model_is_recurrent(handle()) && !ggml_h.llama_model_is_hybrid(handle());
  }

  /** Whether sequences can be saved: whether the form in which libllama does that is known. */
  public boolean canSaveState() {
    return sizes().cache().saved();
  }

  /** Number of weights. */
  public long nParams() {
    return ggml_h.llama_model_n_params(handle());
  }

  /** Bytes of all weights. */
  public long byteSize() {
    return ggml_h.llama_model_size(handle());
  }

  /** Layers that were asked to go to graphics processors; -1 for all. */
  public int nGpuLayers() {
    return nGpuLayers;
  }

  /** What takes large products of its contexts; null for nothing. */
  @Nullable Accel accel() {
    return accel;
  }

  /** Quantized weights that {@link #accel} reads from the file; null for none. */
  @Nullable StoredWeights storedWeights() {
    return storedWeights;
  }

  /** Position numbers of one embedding: 4 for models with multi-axis rotary positions, else 1. */
  public int nPositions() {
    int rope = ggml_h.llama_model_rope_type(handle());
    return rope == ggml_h.LLAMA_ROPE_TYPE_MROPE() || rope == ggml_h.LLAMA_ROPE_TYPE_IMROPE()
        ? 4
        : 1;
  }

  /** One line: architecture, size and type. */
  public String description() {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment buffer = scratch.allocate(256);
      ggml_h.llama_model_desc(handle(), buffer, buffer.byteSize());
      return buffer.getString(0);
    }
  }

  /** Opens a context, which this model will close at the latest. */
  public LlamaContext newContext(ContextOptions options) {
    return newContext(options, true, null);
  }

  /**
   * Opens a context for measuring.
   *
   * @param unified whether all sequences share one cache; otherwise each has an equal part of it,
   *     and sequences of one length are computed side by side
   * @param observer told of all products of weights and activations, which makes computing slower;
   *     null for nobody
   */
  public LlamaContext newContext(
      ContextOptions options, boolean unified, @Nullable MatMulObserver observer) {
    return open(
        options, unified, observer == null ? null : arena -> new ObserverCallback(observer, arena));
  }

  /**
   * What libllama calls what comes behind the last norm; the second where hidden states are kept.
   */
  private static final List<String> LAST_NORM = List.of("result_norm", "result_embd_pooled");

  /**
   * Opens a context that computes up to the last norm: it has hidden states ({@link HiddenStates})
   * and no logits, for heads that libllama does not have. Each sequence has an equal part of its
   * cache.
   */
  public LlamaContext newHeadlessContext(ContextOptions options) {
    return open(options, false, arena -> new StopBehind(LAST_NORM, arena));
  }

  private LlamaContext open(
      ContextOptions options, boolean unified, @Nullable Function<Arena, NodeCallback> callback) {
    requireOpen();
    LlamaContext context =
        new LlamaContext(this, options, unified, masks(options.embeddingAttention(), callback));
    synchronized (contexts) {
      contexts.push(context);
    }
    return context;
  }

  /** What changes masks, in front of another callback. */
  private @Nullable Function<Arena, NodeCallback> masks(
      ContextOptions.EmbeddingAttention attention,
      @Nullable Function<Arena, NodeCallback> callback) {
    return switch (attention) {
      case BY_POSITION -> callback;
      case EVERYWHERE -> arena -> new NonCausalMasks(slidingWindow(), made(callback, arena), arena);
      case IN_ORDER -> arena -> new OrderedMasks(made(callback, arena), arena);
    };
  }

  private static @Nullable NodeCallback made(
      @Nullable Function<Arena, NodeCallback> callback, Arena arena) {
    return callback == null ? null : callback.apply(arena);
  }

  void contextClosed(LlamaContext context) {
    synchronized (contexts) {
      contexts.remove(context);
    }
  }

  @Override
  protected void beforeClose() {
    while (true) {
      LlamaContext newest;
      synchronized (contexts) {
        newest = contexts.peek();
      }
      if (newest == null) {
        return;
      }
      newest.close();
      contextClosed(newest);
    }
  }
}
