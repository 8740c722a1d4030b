package dev.ocellus.vlm.prompt;

import dev.ocellus.Setting;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a conversation into the prompt of a model: renders it with the chat template, puts every
 * image in its place, and tokenizes the result.
 *
 * <p>Thread-safe.
 */
public final class PromptBuilder {
  /** A rendered conversation, and the same tokenized. */
  private record Rendering(Rendered rendered, Prompt prompt) {}

  /** What the messages say and nothing else, images included. */
  private static final String PLAIN =
      "{% for message in messages %}{{ message['content'] }}{% endfor %}";

  private final ModelTemplates templates;
  private final String bosToken;
  private final String eosToken;
  private final @Nullable ChatFormat format;

  /** Compiled when tools are first offered; races only do so twice. */
  private volatile @Nullable ChatFormat withTools;

  /** Compiled when a prompt without a template is first asked for. */
  private volatile @Nullable ChatFormat plain;

  private final PromptTokenizer tokenizer;
  private final @Nullable VisionArchitecture architecture;
  private final ImageOptions imageOptions;

  /**
   * @param templates the chat templates; where there is none, the default one of the family counts
   * @param architecture how images are written; null for a model of text
   * @throws dev.ocellus.vlm.template.TemplateException if the default template cannot be compiled
   */
  public PromptBuilder(
      ModelTemplates templates,
      Vocab vocab,
      @Nullable VisionArchitecture architecture,
      ImageOptions imageOptions) {
    this.templates = templates.orElse(defaultTemplate(architecture));
    this.bosToken = tokenText(vocab, vocab.bos());
    this.eosToken = tokenText(vocab, vocab.eos());
    String source = this.templates.source();
    this.format = source == null ? null : new ChatFormat(source, bosToken, eosToken);
    this.tokenizer =
        new PromptTokenizer(
            vocab,
            architecture == null ? Set.of() : markers(architecture),
            architecture == null ? Set.of() : architecture.promptFormat().tokensOfPeople());
    this.architecture = architecture;
    this.imageOptions = imageOptions;
  }

  private static String defaultTemplate(@Nullable VisionArchitecture architecture) {
    return DefaultTemplates.of(
        architecture == null
            ? ChatTemplateName.CHATML
            : architecture.promptFormat().defaultTemplate());
  }

  private static Set<String> markers(VisionArchitecture architecture) {
    ImagePromptFormat format = architecture.promptFormat();
    String video = format.videoMarker();
    return video == null ? Set.of(format.imageMarker()) : Set.of(format.imageMarker(), video);
  }

  private static String tokenText(Vocab vocab, int token) {
    return token < 0 ? "" : vocab.text(token);
  }

  /** The chat templates in use, as what saved keys and values depend on. */
  public String templates() {
    return templates.all();
  }

  /**
   * How the model writes reasoning and calls into its answers.
   *
   * @throws PromptException if the model has templates by name and no default one
   */
  public AnswerFormat answerFormat(PromptOptions options) {
    return format(options).answerFormat();
  }

  private ChatFormat plain() {
    ChatFormat known = plain;
    if (known == null) {
      known = new ChatFormat(PLAIN, bosToken, eosToken);
      plain = known;
    }
    return known;
  }

  private ChatFormat format(PromptOptions options) {
    if (options.plain()) {
      return plain();
    }
    String source = templates.withTools();
    if (options.tools().isEmpty() || source == null) {
      if (format == null) {
        throw templates.noDefault();
      }
      return format;
    }
    ChatFormat known = withTools;
    if (known == null) {
      known = new ChatFormat(source, bosToken, eosToken);
      withTools = known;
    }
    return known;
  }

  /**
   * Renders a conversation, with the answer about to begin, and tells who wrote which part of it.
   *
   * @throws PromptException if there is no image encoder for an image, the template has no place
   *     for one, or takes no tools, or none of several templates is the default one
   * @throws dev.ocellus.vlm.template.TemplateException if the template refuses the conversation
   */
  public Rendered render(List<Message> messages, PromptOptions options) {
    return rendering(messages, options).rendered;
  }

  /** As {@link #render}, and tokenizes what was rendered. */
  public Prompt prompt(List<Message> messages, PromptOptions options) {
    return rendering(messages, options).prompt;
  }

  private Rendering rendering(List<Message> all, PromptOptions options) {
    List<Visual> visuals = all.stream().flatMap(m -> m.visuals().stream()).toList();
    List<ImagePlaceholder> places = places(visuals);
    Map<Visual, ImagePlaceholder> byVisual = new IdentityHashMap<>();
    for (int i = 0; i < visuals.size(); i++) {
      byVisual.put(visuals.get(i), places.get(i));
    }
    Message continued = options.continued(all);
    List<Message> messages = continued == null ? all : all.subList(0, all.size() - 1);
    String begun = continued == null ? "" : continued.text();
    int nPlaces = 0;
    // the template's own way first, and where it leaves something out, others that most would take
    for (ChatFormat.Shown shown : ways(visuals)) {
      Rendered rendered =
          format(options)
              .render(
                  messages,
                  options,
                  shown,
                  visual -> Objects.requireNonNull(byVisual.get(visual)).written())
              .trusting(options.controlTokens());
      Rendered whole = begun.isEmpty() ? rendered : rendered.followedBy(begun);
      Prompt prompt = tokenizer.tokenize(whole, places).withEnd(rendered.end() + begun);
      nPlaces = prompt.nImages();
      if (nPlaces == visuals.size() && !prompt.misplaced()) {
        return new Rendering(whole, prompt);
      }
    }
    throw new PromptException(
            "The conversation has %d image(s), but its rendering by the model's chat template has places for %d. Use another chat template."
                .formatted(visuals.size(), nPlaces))
        .about(Setting.CHAT_TEMPLATE);
  }

  /** How the template may be shown these, without ways that come to the same. */
  private static List<ChatFormat.Shown> ways(List<Visual> visuals) {
    if (visuals.isEmpty()) {
      return List.of(ChatFormat.Shown.PARTS);
    }
    return visuals.stream().allMatch(RgbImage.class::isInstance)
        ? List.of(ChatFormat.Shown.PARTS, ChatFormat.Shown.TEXT)
        : List.of(ChatFormat.Shown.values());
  }

  private List<ImagePlaceholder> places(List<Visual> visuals) {
    List<ImagePlaceholder> places = new ArrayList<>();
    int nImages = 0;
    int nVideos = 0;
    for (Visual visual : visuals) {
      boolean image = visual instanceof RgbImage;
      places.add(place(visual, image ? nImages : nVideos));
      nImages += image ? 1 : 0;
      nVideos += image ? 0 : 1;
    }
    return places;
  }

  /**
   * Throws for a part of a message that this model cannot take, before anything is computed.
   *
   * @throws PromptException for images and videos if there is no encoder
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException for a video, if the family takes
   *     none
   */
  public void requireSupported(Content content) {
    Visual visual = content.visual();
    if (visual != null) {
      ImagePlaceholder unused = place(visual, 0);
    }
  }

  /**
   * How an image or video is written.
   *
   * @param nBefore images before an image in the conversation, videos before a video
   * @throws PromptException if there is no image encoder
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException for a video, if the family takes
   *     none
   */
  public ImagePlaceholder place(Visual visual, int nBefore) {
    if (architecture == null) {
      throw new PromptException(
              "The conversation has an image or video, but no image encoder is loaded. Load the model together with its mmproj, or ask without images.")
          .about(Setting.MMPROJ);
    }
    return architecture.place(visual, nBefore, imageOptions);
  }
}
