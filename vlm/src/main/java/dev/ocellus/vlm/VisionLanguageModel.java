package dev.ocellus.vlm;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.generate.Slots;
import dev.ocellus.vlm.grounding.CoordinateFormat;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.TaskResult;
import dev.ocellus.vlm.grounding.VisionTasks;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A text model and, for images, its image encoder.
 *
 * <pre>{@code
 * try (var model = VisionLanguageModel.open(LoadOptions.of(text, mmproj));
 *     var chat = model.newChat()) {
 *   System.out.println(chat.send(Message.user("What is this?", image)).content());
 * }
 * }</pre>
 *
 * <p>Thread-safe; a {@link ChatSession} is for one caller at a time. Several sessions may answer at
 * the same time: each in a context of its own, or together in one, as {@link
 * dev.ocellus.vlm.options.SessionOptions} say. Closing the model closes its sessions first.
 */
public final class VisionLanguageModel implements AutoCloseable {
  private final Pipeline pipeline;
  private @Nullable Slots shared; // guarded by this
  private boolean closed; // guarded by this

  private VisionLanguageModel(Pipeline pipeline) {
    this.pipeline = pipeline;
  }

  /**
   * Loads a model.
   *
   * @throws IOException if a file cannot be read
   * @throws dev.ocellus.OcellusException if a file is damaged, of the wrong or an unknown kind, or
   *     the two do not belong together
   */
  public static VisionLanguageModel open(LoadOptions options) throws IOException {
    return new VisionLanguageModel(Pipeline.open(options));
  }

  /** A model of parts that were loaded already, which are closed with it. */
  public static VisionLanguageModel of(Pipeline pipeline) {
    return new VisionLanguageModel(pipeline);
  }

  /**
   * Opens a conversation.
   *
   * @throws IllegalStateException if the model has been closed
   */
  public ChatSession newChat() {
    boolean shares = options().sessions().parallel() > 1;
    return new ChatSession(this, shares ? sharedSlots() : pipeline.newSlots());
  }

  private synchronized Slots sharedSlots() {
    if (closed) {
      throw new IllegalStateException("The model has been closed");
    }
    Slots slots = shared;
    if (slots == null) {
      slots = pipeline.newSharedSlots();
      shared = slots;
    }
    return slots;
  }

  /**
   * How the model generates where nobody says otherwise: as its checkpoint asks for where the file
   * says that, such as by beam search, else {@link GenerationOptions#defaults()}.
   */
  public GenerationOptions defaultOptions() {
    return pipeline.defaultOptions();
  }

  /** The parts of the model, for evaluation and other modules of Ocellus. */
  public Pipeline pipeline() {
    return pipeline;
  }

  /** What was asked to be loaded. */
  public LoadOptions options() {
    return pipeline.options();
  }

  /** The image encoder, if there is one. */
  public Optional<VisionEncoder> encoder() {
    return Optional.ofNullable(pipeline.encoder());
  }

  /**
   * Renders a conversation, with the answer about to begin, and tells who wrote which part of it.
   *
   * @throws dev.ocellus.vlm.prompt.PromptException if the images cannot be given a place, or the
   *     template takes no tools
   * @throws dev.ocellus.vlm.template.TemplateException if the template refuses the conversation
   */
  public Rendered render(List<Message> messages, PromptOptions options) {
    return pipeline.prompts().render(messages, options);
  }

  /** As {@link #render(List, PromptOptions)}, with default options. */
  public Rendered render(List<Message> messages) {
    return render(messages, PromptOptions.defaults());
  }

  /** As {@link #render(List, PromptOptions)}, and tokenizes what was rendered. */
  public Prompt prompt(List<Message> messages, PromptOptions options) {
    return pipeline.prompts().prompt(messages, options);
  }

  /** As {@link #prompt(List, PromptOptions)}, with default options. */
  public Prompt prompt(List<Message> messages) {
    return prompt(messages, PromptOptions.defaults());
  }

  /**
   * Tokens of a conversation up to where its answer begins, images included. Images are prepared
   * for it and not encoded.
   */
  public int countTokens(List<Message> messages, PromptOptions options) {
    return pipeline.countTokens(messages, options);
  }

  /** What stands in the context that the sessions share. Any thread may ask, at any time. */
  public ContextUse contextUse() {
    Slots slots;
    synchronized (this) {
      slots = shared;
    }
    return slots == null ? ContextUse.NONE : slots.use();
  }

  /**
   * Boxes and points that an answer names, in pixels of the image that was asked about.
   *
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException if the model has no image encoder,
   *     or its family was not trained to give coordinates
   */
  public List<Region> regions(Answer answer, RgbImage image) {
    if (tasks() != null) {
      return taskResult(answer, image).map(TaskResult::regions).orElse(List.of());
    }
    VisionEncoder encoder = pipeline.encoder();
    CoordinateFormat format = coordinates();
    ImageSize encoded =
        format == CoordinateFormat.JSON_PIXELS && encoder != null
            ? encoder.prepare(image, options().vision().images()).tiles().getFirst().size()
            : image.size();
    return format.read(allText(answer), image.size(), encoded);
  }

  /** The text of an answer with control tokens, as which some families write tags. */
  public String allText(Answer answer) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int token : answer.tokens()) {
      text.writeBytes(pipeline.decoder().vocab().piece(token, true));
    }
    return text.toString(StandardCharsets.UTF_8);
  }

  /** The tasks that the model was trained for; null if it answers whatever is asked. */
  public @Nullable VisionTasks tasks() {
    VisionEncoder encoder = pipeline.encoder();
    return encoder == null ? null : encoder.architecture().promptFormat().tasks();
  }

  /**
   * What an answer to one of the model's {@link #tasks()} says, in pixels of the image.
   *
   * @return empty if the model has no tasks, or was asked for something else
   */
  public Optional<TaskResult> taskResult(Answer answer, RgbImage image) {
    VisionTasks tasks = tasks();
    return tasks == null
        ? Optional.empty()
        : tasks.read(answer.prompt(), allText(answer), image.size());
  }

  /**
   * Refuses a model whose answers hold no coordinates, before anything is computed for {@link
   * #regions}.
   *
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException if it has no image encoder, or its
   *     family was not trained to give coordinates
   */
  public void requireCoordinates() {
    if (tasks() == null) {
      var unused = coordinates();
    }
  }

  private CoordinateFormat coordinates() {
    VisionEncoder encoder = pipeline.encoder();
    String family = encoder == null ? "" : encoder.architecture().name();
    return CoordinateFormat.ofFamily(family)
        .orElseThrow(() ->
            new UnsupportedContentException(
                "The model %s is of no family that gives coordinates: Qwen-VL and its successors, InternVL, Gemma, GLM-4V, DeepSeek-OCR-2, PaliGemma."
                    .formatted(pipeline.decoder().description())));
  }

  /** Frees everything; sessions are closed first, and a running computation is waited for. */
  @Override
  public void close() {
    Slots slots;
    synchronized (this) {
      closed = true;
      slots = shared;
      shared = null;
    }
    if (slots != null) {
      slots.close();
    }
    pipeline.close();
  }
}
