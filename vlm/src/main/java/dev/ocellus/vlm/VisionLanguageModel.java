package dev.ocellus.vlm;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.prompt.PromptTokenizer;
import dev.ocellus.vlm.sampling.grammar.GrammarVocabulary;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.tool.AnswerFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
 * <p>Thread-safe; a {@link ChatSession} is for one caller at a time. Closing the model closes its
 * sessions first.
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
  private final PromptTokenizer tokenizer;
  private final double loadMillis;

  /** A race only makes it twice. */
  private volatile @Nullable GrammarVocabulary grammarVocabulary;

  private VisionLanguageModel(
      LoadOptions options,
      LlamaModel textModel,
      @Nullable VisionEncoder encoder,
      @Nullable TokenEmbeddings tokenEmbeddings,
      @Nullable String template,
      long started) {
    this.options = options;
    this.textModel = textModel;
    this.encoder = encoder;
    this.tokenEmbeddings = tokenEmbeddings;
    String marker = encoder == null ? null : encoder.architecture().imageMarker();
    Vocab vocab = textModel.vocab();
    this.format =
        new ChatFormat(
            template != null
                ? template
                : encoder != null ? encoder.architecture().defaultChatTemplate() : CHATML,
            marker,
            tokenText(vocab, vocab.bos()),
            tokenText(vocab, vocab.eos()));
    this.tokenizer =
        encoder == null
            ? new PromptTokenizer(vocab, null)
            : new PromptTokenizer(
                vocab,
                new PromptTokenizer.ImagePlace(
                    encoder.architecture().imageMarker(),
                    encoder.architecture()::textBeforeImage,
                    encoder.architecture().textAfterImage()));
    this.loadMillis = (System.nanoTime() - started) / 1e6;
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
                options.visionPrecision());
    LlamaModel text = null;
    try {
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
      TokenEmbeddings embeddings =
          encoder != null && encoder.architecture().promptSeesItself()
              ? TokenEmbeddings.open(options.model())
              : null;
      return new VisionLanguageModel(options, text, encoder, embeddings, template, started);
    } catch (Throwable e) {
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

  /** Opens a conversation. */
  public ChatSession newChat() {
    return new ChatSession(this, textModel.newContext(options.contextOptions()));
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
    int nImages = all.stream().mapToInt(m -> m.images().size()).sum();
    if (nImages > 0 && encoder == null) {
      throw new PromptException(
          "The conversation has %d picture(s), but no image encoder is loaded; give one with --mmproj"
              .formatted(nImages));
    }
    Message continued = options.continued(all);
    List<Message> messages = continued == null ? all : all.subList(0, all.size() - 1);
    String begun = continued == null ? "" : continued.text();
    Rendering rendering = tokenized(format.render(messages, options), begun);
    if (rendering.prompt.nImages() != nImages) {
      rendering = tokenized(format.renderAsText(messages, options), begun);
    }
    if (rendering.prompt.nImages() != nImages) {
      throw new PromptException(
          "The conversation has %d picture(s), but its rendering by the model's chat template has places for %d. Use another template (--chat-template)."
              .formatted(nImages, rendering.prompt.nImages()));
    }
    return rendering;
  }

  /**
   * @param begun the beginning of the answer, which the model goes on with
   */
  private Rendering tokenized(Rendered rendered, String begun) {
    Rendered whole = begun.isEmpty() ? rendered : rendered.followedBy(begun);
    return new Rendering(whole, tokenizer.tokenize(whole).withEnd(rendered.end() + begun));
  }

  /** How the model writes reasoning and calls into its answers. */
  AnswerFormat answerFormat() {
    return format.answerFormat();
  }

  /** The tokens as grammars see them; made when first asked for, as it takes a moment. */
  GrammarVocabulary grammarVocabulary() {
    GrammarVocabulary known = grammarVocabulary;
    if (known == null) {
      Vocab vocab = textModel.vocab();
      known =
          new GrammarVocabulary(
              vocab.nTokens(), token -> vocab.piece(token, false), vocab::isEndOfGeneration);
      grammarVocabulary = known;
    }
    return known;
  }

  /** Frees everything; sessions are closed first, and a running computation is waited for. */
  @Override
  public void close() {
    textModel.close();
    if (tokenEmbeddings != null) {
      tokenEmbeddings.close();
    }
    if (encoder != null) {
      encoder.close();
    }
  }
}
