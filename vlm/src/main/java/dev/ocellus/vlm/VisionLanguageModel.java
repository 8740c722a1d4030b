package dev.ocellus.vlm;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.decode.ExclusiveSequence;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.generate.SharedSlots;
import dev.ocellus.vlm.generate.Slots;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import java.io.IOException;
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
  private final double loadMillis;
  private @Nullable SharedSlots shared; // guarded by this
  private boolean closed; // guarded by this

  private VisionLanguageModel(Pipeline pipeline, double loadMillis) {
    this.pipeline = pipeline;
    this.loadMillis = loadMillis;
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
    Pipeline pipeline = Pipeline.open(options);
    return new VisionLanguageModel(pipeline, (System.nanoTime() - started) / 1e6);
  }

  /**
   * Opens a conversation.
   *
   * @throws IllegalStateException if the model has been closed
   */
  public ChatSession newChat() {
    LoadOptions options = options();
    if (options.sessions().parallel() > 1) {
      return new ChatSession(this, sharedSlots());
    }
    ContextOptions own = options.contextOptions();
    int outputs = Math.max(own.nOutputsMax(), 1 + options.sessions().speculation().most());
    LlamaContext context = textModel().newContext(own.withOutputs(outputs));
    return new ChatSession(
        this, Slots.single(pipeline.newGenerator(new ExclusiveSequence(context))));
  }

  private synchronized SharedSlots sharedSlots() {
    if (closed) {
      throw new IllegalStateException("The model has been closed");
    }
    SharedSlots slots = shared;
    if (slots == null) {
      LoadOptions options = options();
      int n = options.sessions().parallel();
      ContextOptions each = options.contextOptions();
      int nCtx = each.nCtx() == 0 ? textModel().nCtxTrain() : each.nCtx();
      int nOutputs = n * (1 + options.sessions().speculation().most());
      LlamaContext context =
          textModel()
              .newContext(
                  each.withContext(Math.multiplyExact(n, nCtx))
                      .withSequences(n)
                      .withOutputs(Math.max(each.nOutputsMax(), nOutputs)));
      slots = new SharedSlots(context, n, pipeline::newGenerator);
      shared = slots;
    }
    return slots;
  }

  /** The parts of the model, for evaluation and other modules of Ocellus. */
  public Pipeline pipeline() {
    return pipeline;
  }

  /** What was asked to be loaded. */
  public LoadOptions options() {
    return pipeline.options();
  }

  /** The text model. */
  public LlamaModel textModel() {
    return pipeline.textModel();
  }

  /** The image encoder, if there is one. */
  public Optional<VisionEncoder> encoder() {
    return Optional.ofNullable(pipeline.encoder());
  }

  /**
   * Throws for a part of a message that this model cannot take, before anything is computed.
   *
   * @throws PromptException for images and videos if there is no encoder
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException for a video, if the family takes
   *     none
   */
  public void requireTakes(Content content) {
    Visual visual = content.visual();
    if (visual != null) {
      ImagePlaceholder unused = pipeline.prompts().place(visual, 0);
    }
  }

  /** Milliseconds that loading took. */
  public double loadMillis() {
    return loadMillis;
  }

  /**
   * Renders a conversation, with the answer about to begin, and tells who wrote which part of it.
   *
   * @throws PromptException if the images cannot be given a place, or the template takes no tools
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
    pipeline.close();
  }
}
