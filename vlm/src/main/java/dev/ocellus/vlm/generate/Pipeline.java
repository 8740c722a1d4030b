package dev.ocellus.vlm.generate;

import dev.ocellus.Setting;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.vlm.cache.CacheFolder;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.decode.DraftModel;
import dev.ocellus.vlm.decode.Drafter;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.decode.LookupDrafter;
import dev.ocellus.vlm.decode.ModelDrafter;
import dev.ocellus.vlm.decode.SequencePool;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.encoder.EncoderIdentity;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.options.ImageCacheOptions;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.ModelMismatchException;
import dev.ocellus.vlm.options.PrefixCacheOptions;
import dev.ocellus.vlm.options.Speculation;
import dev.ocellus.vlm.prompt.ModelTemplates;
import dev.ocellus.vlm.prompt.PromptBuilder;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The loaded parts that a conversation passes through on its way to an answer: prompt builder,
 * image encoder, text model.
 *
 * <p>Thread-safe. Closing waits for a running computation and closes contexts first.
 */
public final class Pipeline implements AutoCloseable {
  private final LoadOptions options;
  private final TextDecoder decoder;
  private final @Nullable VisionEncoder encoder;
  private final @Nullable TextDecoder draftModel;
  private final @Nullable TokenEmbeddings tokenEmbeddings;
  private final ImageCache imageCache;
  private final @Nullable PrefixCache prefixCache;
  private final PromptBuilder prompts;
  private final ToolGrammars grammars;
  private final ModelIdentity identity;
  private final double loadMillis;
  private final GenerationDefaults defaults;

  private Pipeline(
      LoadOptions options,
      TextDecoder decoder,
      @Nullable VisionEncoder encoder,
      @Nullable TextDecoder draftModel,
      @Nullable TokenEmbeddings tokenEmbeddings,
      PromptBuilder prompts,
      GenerationDefaults defaults,
      long loadNanos) {
    this.options = options;
    this.decoder = decoder;
    this.encoder = encoder;
    this.draftModel = draftModel;
    this.tokenEmbeddings = tokenEmbeddings;
    this.prompts = prompts;
    ImageCacheOptions cache = options.sessions().imageCache();
    this.imageCache =
        new ImageCache(
            cache.memoryBytes(),
            cache.directory(),
            cache.diskBytes(),
            () -> EncoderIdentity.of(Objects.requireNonNull(encoder), options.vision()));
    this.grammars = new ToolGrammars(prompts::answerFormat, decoder.vocab());
    this.identity = new ModelIdentity(options);
    this.prefixCache = prefixCache(options, identity);
    this.loadMillis = loadNanos / 1e6;
    this.defaults = defaults;
  }

  private static @Nullable PrefixCache prefixCache(LoadOptions options, ModelIdentity identity) {
    PrefixCacheOptions cache = options.sessions().prefixCache();
    Path directory = cache.directory();
    if (directory == null || options.sessions().parallel() > 1) {
      return null;
    }
    return new PrefixCache(
        new CacheFolder(directory, ".prefix", "prefix cache", cache.diskBytes()),
        () -> identity.get() + " " + options.vision());
  }

  /**
   * Loads everything.
   *
   * @throws IOException if a file cannot be read
   * @throws dev.ocellus.OcellusException if a file is damaged, of the wrong or an unknown kind, or
   *     two of them do not belong together
   */
  public static Pipeline open(LoadOptions options) throws IOException {
    return open(options, TextModelLoader::load);
  }

  /** Loads the text model. */
  @FunctionalInterface
  public interface DecoderLoader {
    /** Loads the model of the options. */
    TextDecoder load(LoadOptions options) throws IOException;
  }

  /**
   * As {@link #open(LoadOptions)}, with a text model that something else than libllama computes.
   *
   * @param loader called once; what it gives is closed with this
   */
  public static Pipeline open(LoadOptions options, DecoderLoader loader) throws IOException {
    long start = System.nanoTime();
    VisionEncoder encoder = null;
    TextDecoder text = null;
    TextDecoder draft = null;
    TokenEmbeddings embeddings = null;
    try {
      encoder = openEncoder(options);
      ModelTemplates templates = templates(options);
      text = loader.load(options);
      if (encoder != null) {
        requireSameWidth(encoder, text, options);
      }
      draft = openDraft(options, text);
      embeddings = openEmbeddings(options, text, encoder);
      var prompts =
          new PromptBuilder(
              templates,
              text.vocab(),
              encoder == null ? null : encoder.architecture(),
              options.vision().images());
      return new Pipeline(
          encoder == null ? options : ContextForImages.of(options, encoder.architecture()),
          text,
          encoder,
          draft,
          embeddings,
          prompts,
          GenerationDefaults.of(options.model()),
          System.nanoTime() - start);
    } catch (Throwable e) {
      if (text != null) {
        text.close();
      }
      close(draft, embeddings, encoder);
      throw e;
    }
  }

  private static @Nullable VisionEncoder openEncoder(LoadOptions options) throws IOException {
    Path mmproj = options.mmproj();
    if (mmproj == null) {
      return null;
    }
    VisionEncoder encoder =
        VisionEncoder.open(
            mmproj,
            options.contextOptions().nThreadsBatch(),
            options.modelOptions().nGpuLayers() != 0,
            options.vision().precision(),
            options.modelOptions().accelerator());
    try {
      encoder.architecture().require(options.vision().images());
      return encoder;
    } catch (Throwable e) {
      encoder.close();
      throw e;
    }
  }

  private static @Nullable TextDecoder openDraft(LoadOptions options, TextDecoder text)
      throws IOException {
    Path file = options.sessions().speculation().draftModel();
    return file == null ? null : new LlamaDecoder(DraftModel.load(file, options, text.vocab()));
  }

  private static @Nullable TokenEmbeddings openEmbeddings(
      LoadOptions options, TextDecoder text, @Nullable VisionEncoder encoder) throws IOException {
    if (!takesEmbeddings(text, encoder)) {
      return null;
    }
    return text instanceof LlamaDecoder
        ? TokenEmbeddings.open(options.model())
        : TokenEmbeddings.openTable(options.model());
  }

  /** Whether tokens of a prompt go in as embeddings, all or those beside images. */
  private static boolean takesEmbeddings(TextDecoder text, @Nullable VisionEncoder encoder) {
    return text.encodesPrompts()
        || (encoder != null && encoder.architecture().attention().takesTokensAsEmbeddings());
  }

  private static void requireSameWidth(
      VisionEncoder encoder, TextDecoder text, LoadOptions options) {
    if (encoder.architecture().width() != text.embeddingWidth()) {
      throw new ModelMismatchException(
              "%s gives embeddings of %d floats, and %s takes %d. The two files are of different models."
                  .formatted(
                      options.mmproj(),
                      encoder.architecture().width(),
                      options.model(),
                      text.embeddingWidth()))
          .about(Setting.MODEL, Setting.MMPROJ);
    }
  }

  private static ModelTemplates templates(LoadOptions options) throws IOException {
    if (options.chatTemplate() != null) {
      return ModelTemplates.of(options.chatTemplate());
    }
    try (GgufFile file = GgufFile.open(options.model())) {
      ModelRegistry.require(file, ModelKind.TEXT);
      return ModelTemplates.of(file.metadata(), options.mmproj() != null);
    }
  }

  /** How the model generates where nobody says otherwise. */
  public GenerationOptions defaultOptions() {
    return defaults.options();
  }

  /** Whether a token ends an answer. */
  boolean endsAnswer(int token) {
    int[] ends = defaults.ends();
    return ends == null
        ? decoder.vocab().isEndOfGeneration(token)
        : IntStream.of(ends).anyMatch(end -> end == token);
  }

  /** All tokens that end an answer. */
  int[] ends() {
    int[] ends = defaults.ends();
    return ends != null
        ? ends.clone()
        : IntStream.range(0, decoder.vocab().nTokens())
            .filter(decoder.vocab()::isEndOfGeneration)
            .toArray();
  }

  /** What was asked to be loaded. */
  public LoadOptions options() {
    return options;
  }

  /** The text model. */
  public TextDecoder decoder() {
    return decoder;
  }

  /** The image encoder; null for a model of text. */
  public @Nullable VisionEncoder encoder() {
    return encoder;
  }

  /** The text model's embedding table, where prompts are decoded as embeddings. */
  @Nullable TokenEmbeddings tokenEmbeddings() {
    return tokenEmbeddings;
  }

  /** Images that were encoded before. */
  ImageCache imageCache() {
    return imageCache;
  }

  /** Keys and values of beginnings of prompts on disk; null where none are kept. */
  @Nullable PrefixCache prefixCache() {
    return prefixCache;
  }

  public PromptBuilder prompts() {
    return prompts;
  }

  ToolGrammars grammars() {
    return grammars;
  }

  public ModelIdentity identity() {
    return identity;
  }

  /** A sequence for one session alone. */
  public Slots newSlots() {
    KvSequence sequence = decoder.newSequence(sequenceOptions());
    try {
      return Slots.single(newGenerator(sequence));
    } catch (Throwable e) {
      sequence.close();
      throw e;
    }
  }

  /** The sequences that all sessions share, as many as the options say. */
  public SharedSlots newSharedSlots() {
    SequencePool pool = decoder.newPool(options.sessions().parallel(), sequenceOptions());
    try {
      shareProcessor(pool);
      return new SharedSlots(pool, this::newGenerator);
    } catch (Throwable e) {
      pool.close();
      throw e;
    }
  }

  /** Where encoder and text model together have more threads than there are cores. */
  private void shareProcessor(SequencePool pool) {
    int nThreads = options.contextOptions().nThreadsBatch();
    if (encoder != null
        && encoder.device().kind() == Device.Kind.CPU
        && 2 * nThreads > Runtime.getRuntime().availableProcessors()) {
      var turns = new Turns();
      encoder.takeTurns(turns);
      pool.takeTurns(turns);
    }
  }

  /** With logits for a token and the draft tokens behind it. */
  private ContextOptions sequenceOptions() {
    ContextOptions each = options.contextOptions();
    int nOutputs = 1 + options.sessions().speculation().maxDraftTokens();
    return each.withOutputs(Math.max(each.nOutputsMax(), nOutputs));
  }

  /**
   * Tokens of a conversation up to where its answer begins, images included. Nothing is encoded.
   */
  public int countTokens(List<Message> messages, PromptOptions options) {
    List<Visual> visuals = messages.stream().flatMap(m -> m.visuals().stream()).toList();
    int n = 0;
    for (Segment segment : prompts.prompt(messages, options).segments()) {
      n +=
          switch (segment) {
            case Segment.Tokens(int[] ids) -> ids.length;
            case Segment.Image(int index) -> countTokens(visuals.get(index));
          };
    }
    return n;
  }

  private int countTokens(Visual visual) {
    int n = 0;
    for (ImagePiece piece :
        Objects.requireNonNull(encoder).prepare(visual, options.vision().images()).layout()) {
      n +=
          switch (piece) {
            case ImagePiece.Text(String text) -> decoder.vocab().tokenize(text, true).length;
            case ImagePiece.Embeddings rows -> rows.count();
          };
    }
    return n;
  }

  /** Milliseconds that loading took. */
  public double loadMillis() {
    return loadMillis;
  }

  /** Answers in a sequence, which is closed with what is returned. */
  private AnswerGenerator newGenerator(KvSequence sequence) {
    Speculation speculation = options.sessions().speculation();
    Drafter drafter = null;
    if (draftModel != null) {
      drafter =
          new ModelDrafter(
              draftModel.newSequence(options.contextOptions()), speculation.draftMinProbability());
    } else if (speculation.lookup()) {
      drafter = new LookupDrafter();
    }
    return new AnswerGenerator(this, sequence, drafter);
  }

  @Override
  public void close() {
    decoder.close();
    close(draftModel, tokenEmbeddings, encoder);
  }

  private static void close(
      @Nullable TextDecoder draft,
      @Nullable TokenEmbeddings embeddings,
      @Nullable VisionEncoder encoder) {
    if (draft != null) {
      draft.close();
    }
    if (embeddings != null) {
      embeddings.close();
    }
    if (encoder != null) {
      encoder.close();
    }
  }
}
