package dev.ocellus.vlm;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.Architectures;
import dev.ocellus.vlm.model.VisionArchitecture;
import dev.ocellus.vlm.model.VisualPlace;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.prompt.PromptTokenizer;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.tool.AnswerFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A text model and, for pictures, its image encoder.
 *
 * <pre>{@code
 * try (var model = VisionLanguageModel.open(LoadOptions.of(text, mmproj));
 *     var chat = model.newChat()) {
 *   System.out.println(chat.send(Message.user("What is this?", image)).text());
 * }
 * }</pre>
 *
 * <p>Thread-safe; a {@link ChatSession} is for one caller at a time. Several sessions may answer at
 * the same time: each in a context of its own, or together in one, as {@link SessionOptions} say.
 * Closing the model closes its sessions first.
 */
public final class VisionLanguageModel implements AutoCloseable {
  /** What models without a template of their own are talked to in. */
  private static final String CHATML =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final LoadOptions options;
  private final LlamaModel textModel;
  private final @Nullable VisionEncoder encoder;
  private final @Nullable TokenEmbeddings tokenEmbeddings;
  private final ChatFormat format;
  private final ToolGrammars grammars;
  private final PromptTokenizer tokenizer;
  private final @Nullable LlamaModel draftModel;
  private final ImageCache imageCache;
  private final String template;
  private final double loadMillis;
  private volatile @Nullable String identity;
  private @Nullable SharedSlots shared; // guarded by this
  private boolean closed; // guarded by this

  private VisionLanguageModel(
      LoadOptions options,
      LlamaModel textModel,
      @Nullable VisionEncoder encoder,
      @Nullable LlamaModel draftModel,
      @Nullable TokenEmbeddings tokenEmbeddings,
      @Nullable String template,
      long started) {
    this.options = options;
    this.textModel = textModel;
    this.encoder = encoder;
    this.draftModel = draftModel;
    ImageCacheOptions cache = options.sessions().imageCache();
    this.imageCache =
        new ImageCache(
            cache.memoryBytes(),
            cache.directory(),
            cache.diskBytes(),
            () -> EncoderIdentity.of(Objects.requireNonNull(encoder), options));
    this.tokenEmbeddings = tokenEmbeddings;
    Vocab vocab = textModel.vocab();
    this.template =
        template != null
            ? template
            : encoder != null ? encoder.architecture().defaultChatTemplate() : CHATML;
    this.format =
        new ChatFormat(this.template, tokenText(vocab, vocab.bos()), tokenText(vocab, vocab.eos()));
    this.grammars = new ToolGrammars(format.answerFormat(), vocab);
    this.tokenizer = new PromptTokenizer(vocab, encoder == null ? Set.of() : markers(encoder));
    this.loadMillis = (System.nanoTime() - started) / 1e6;
  }

  private static Set<String> markers(VisionEncoder encoder) {
    VisionArchitecture architecture = encoder.architecture();
    return architecture.videoMarker().isEmpty()
        ? Set.of(architecture.imageMarker())
        : Set.of(architecture.imageMarker(), architecture.videoMarker());
  }

  private static String tokenText(Vocab vocab, int token) {
    return token < 0 ? "" : vocab.text(token);
  }

  /**
   * Loads a model.
   *
   * @throws IOException if a file cannot be read
   * @throws dev.ocellus.OcellusException if a file is damaged, of the wrong or an unknown kind, or
   *     the two do not belong together
   */
  public static VisionLanguageModel open(LoadOptions options) throws IOException {
    long started = System.nanoTime();
    Path mmproj = options.mmproj();
    VisionEncoder encoder =
        mmproj == null
            ? null
            : VisionEncoder.open(
                mmproj,
                options.contextOptions().nThreadsBatch(),
                options.modelOptions().nGpuLayers() != 0,
                options.vision().precision());
    LlamaModel text = null;
    LlamaModel draft = null;
    TokenEmbeddings embeddings = null;
    try {
      if (encoder != null) {
        Architectures.require(encoder.architecture(), options.vision().images());
      }
      String template = options.chatTemplate();
      if (template == null) {
        template = templateOf(options.model());
      }
      text = LlamaModel.load(options.model(), options.modelOptions());
      if (encoder != null && encoder.architecture().width() != text.nEmbdInput()) {
        throw new ModelMismatchException(
            "%s gives embeddings of %d floats, and %s takes %d. The two files are of different models."
                .formatted(
                    mmproj, encoder.architecture().width(), options.model(), text.nEmbdInput()));
      }
      Path draftFile = options.sessions().speculation().draftModel();
      if (draftFile != null) {
        draft = DraftModel.load(draftFile, options, text);
      }
      if (encoder != null && encoder.architecture().promptSeesItself()) {
        embeddings = TokenEmbeddings.open(options.model());
      }
      return new VisionLanguageModel(options, text, encoder, draft, embeddings, template, started);
    } catch (Throwable e) {
      if (embeddings != null) {
        embeddings.close();
      }
      if (draft != null) {
        draft.close();
      }
      if (text != null) {
        text.close();
      }
      if (encoder != null) {
        encoder.close();
      }
      throw e;
    }
  }

  private static @Nullable String templateOf(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      if (file.metadata().string("general.architecture", "").equals("clip")) {
        throw new UnsupportedArchitectureException(
            "%s is an image encoder (mmproj), not a text model. Give it with --mmproj and the text model with -m."
                .formatted(model));
      }
      return file.metadata().findString("tokenizer.chat_template").orElse(null);
    }
  }

  /**
   * Opens a conversation.
   *
   * @throws IllegalStateException if the model has been closed
   */
  public ChatSession newChat() {
    if (options.sessions().parallel() > 1) {
      return new ChatSession(this, sharedSlots());
    }
    ContextOptions own = options.contextOptions();
    int outputs = Math.max(own.nOutputsMax(), 1 + options.sessions().speculation().most());
    LlamaContext context = textModel.newContext(own.withOutputs(outputs));
    return new ChatSession(this, Slots.single(generator(new OwnLane(context))));
  }

  private synchronized SharedSlots sharedSlots() {
    if (closed) {
      throw new IllegalStateException("The model has been closed");
    }
    SharedSlots slots = shared;
    if (slots == null) {
      int n = options.sessions().parallel();
      ContextOptions each = options.contextOptions();
      int nCtx = each.nCtx() == 0 ? textModel.nCtxTrain() : each.nCtx();
      int nOutputs = n * (1 + options.sessions().speculation().most());
      LlamaContext context =
          textModel.newContext(
              each.withContext(Math.multiplyExact(n, nCtx))
                  .withSequences(n)
                  .withOutputs(Math.max(each.nOutputsMax(), nOutputs)));
      slots = new SharedSlots(context, n, this::generator);
      shared = slots;
    }
    return slots;
  }

  private Generator generator(Lane lane) {
    Speculation speculation = options.sessions().speculation();
    Drafter drafter = null;
    if (draftModel != null) {
      drafter =
          new ModelDrafter(
              draftModel.newContext(options.contextOptions()), speculation.draftMinProbability());
    } else if (speculation.lookup()) {
      drafter = new LookupDrafter();
    }
    return new Generator(this, lane, drafter);
  }

  /** The chat template in use. */
  String template() {
    return template;
  }

  /** What tells this model and its encoder from others, wherever their files lie. */
  String identity() throws IOException {
    String known = identity;
    if (known == null) {
      known = identity(options.model());
      Path mmproj = options.mmproj();
      if (mmproj != null) {
        known += " " + identity(mmproj) + " " + options.vision().images();
      }
      identity = known;
    }
    return known;
  }

  private static String identity(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return gguf.identity();
    }
  }

  /** Pictures that were encoded before. */
  ImageCache imageCache() {
    return imageCache;
  }

  /** What was asked to be loaded. */
  public LoadOptions options() {
    return options;
  }

  /** The text model. */
  public LlamaModel textModel() {
    return textModel;
  }

  /** The image encoder, if there is one. */
  public Optional<VisionEncoder> encoder() {
    return Optional.ofNullable(encoder);
  }

  /** The text model's table of embeddings, where the image encoder asks for tokens as rows. */
  Optional<TokenEmbeddings> tokenEmbeddings() {
    return Optional.ofNullable(tokenEmbeddings);
  }

  /**
   * Throws for a part of a message that this model cannot take, before anything is computed.
   *
   * @throws PromptException for pictures and videos if there is no encoder
   * @throws dev.ocellus.vlm.model.UnsupportedContentException for a video, if the family takes none
   */
  public void requireTakes(Content content) {
    Visual visual = content.visual();
    if (visual != null) {
      VisualPlace unused = place(visual, 0);
    }
  }

  /** Milliseconds that loading took. */
  public double loadMillis() {
    return loadMillis;
  }

  /**
   * Renders a conversation, with the answer about to begin, and tells who wrote which part of it.
   *
   * @throws PromptException if the pictures cannot be given a place, or the template takes no tools
   * @throws dev.ocellus.vlm.template.TemplateException if the template refuses the conversation
   */
  public Rendered render(List<Message> messages, PromptOptions options) {
    return rendering(messages, options).rendered;
  }

  /** As {@link #render(List, PromptOptions)}, with default options. */
  public Rendered render(List<Message> messages) {
    return render(messages, PromptOptions.defaults());
  }

  /** As {@link #render(List, PromptOptions)}, and tokenizes what was rendered. */
  public Prompt prompt(List<Message> messages, PromptOptions options) {
    return rendering(messages, options).prompt;
  }

  /** As {@link #prompt(List, PromptOptions)}, with default options. */
  public Prompt prompt(List<Message> messages) {
    return prompt(messages, PromptOptions.defaults());
  }

  private record Rendering(Rendered rendered, Prompt prompt) {}

  private Rendering rendering(List<Message> all, PromptOptions options) {
    List<Visual> visuals = all.stream().flatMap(m -> m.visuals().stream()).toList();
    List<VisualPlace> places = new ArrayList<>();
    int nImages = 0;
    for (Visual visual : visuals) {
      places.add(place(visual, nImages));
      nImages += visual instanceof RgbImage ? 1 : 0;
    }
    Message continued = options.continued(all);
    List<Message> messages = continued == null ? all : all.subList(0, all.size() - 1);
    String begun = continued == null ? "" : continued.text();
    int nPlaces = 0;
    // the template's own way first, and where it leaves something out, others that most would take
    for (ChatFormat.Shown shown : ChatFormat.Shown.values()) {
      Rendered rendered =
          format.render(messages, options, shown, visual -> place(visual, 0).written());
      Rendered whole = begun.isEmpty() ? rendered : rendered.followedBy(begun);
      Prompt prompt = tokenizer.tokenize(whole, places).withEnd(rendered.end() + begun);
      nPlaces = prompt.nImages();
      if (nPlaces == visuals.size() && !prompt.misplaced()) {
        return new Rendering(whole, prompt);
      }
    }
    throw new PromptException(
        "The conversation has %d picture(s), but its rendering by the model's chat template has places for %d. Use another template (--chat-template)."
            .formatted(visuals.size(), nPlaces));
  }

  /**
   * @param nImages pictures before it
   */
  private VisualPlace place(Visual visual, int nImages) {
    if (encoder == null) {
      throw new PromptException(
          "The conversation has a picture or video, but no image encoder is loaded; give one with --mmproj");
    }
    return encoder.architecture().place(visual, nImages, options.vision().images());
  }

  /** How the model writes reasoning and calls into its answers. */
  AnswerFormat answerFormat() {
    return format.answerFormat();
  }

  /** What answers may be held to. */
  ToolGrammars grammars() {
    return grammars;
  }

  /** Frees everything; sessions are closed first, and a running computation is waited for. */
  @Override
  public void close() {
    SharedSlots slots;
    synchronized (this) {
      closed = true;
      slots = shared;
      shared = null;
    }
    if (slots != null) {
      slots.close();
    }
    textModel.close();
    if (draftModel != null) {
      draftModel.close();
    }
    if (tokenEmbeddings != null) {
      tokenEmbeddings.close();
    }
    if (encoder != null) {
      encoder.close();
    }
  }
}
