package dev.ocellus.vlm.generate;

import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.ContextOverflowException.Kind;
import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.decode.BidirectionalPrompt;
import dev.ocellus.vlm.decode.CanvasPrompt;
import dev.ocellus.vlm.decode.ContextEntry;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.PromptCache;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.vision.PromptAttention;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The one path from a prompt to logits: encodes its images, checks that it fits, and brings the KV
 * sequence to it. Chats, importance matrices and comparisons all take it, so that they compute the
 * same.
 *
 * <p>For one thread at a time.
 */
final class PromptDecoder {
  /**
   * A prompt that was decoded; the logits after it are the sequence's first.
   *
   * @param tokens ids; -1 at every image embedding
   * @param nImageTokens how many of them are image embeddings
   * @param nCached how many did not have to be computed
   * @param prefillMillis time that the text model took
   */
  record Decoded(int[] tokens, int nImageTokens, int nCached, double prefillMillis) {
    /** Of the prompt alone. */
    Usage usage() {
      return new Usage(tokens.length, nImageTokens, nCached, 0);
    }
  }

  private final Pipeline pipeline;
  private final KvSequence sequence;
  private final PromptCache cache;
  private final ImageResolver images;
  private final boolean nonCausalImages;
  private final boolean hasTokenLimits;
  private final @Nullable BidirectionalPrompt bidirectional;
  private final @Nullable CanvasPrompt canvas;

  /**
   * @param imageCache where encoded images are looked up and kept
   */
  PromptDecoder(Pipeline pipeline, KvSequence sequence, ImageCache imageCache) {
    this(pipeline, sequence, imageCache, 0);
  }

  /**
   * @param imageCache where encoded images are looked up and kept
   * @param checkpointBytes memory for checkpoints, where the sequence needs any; 0 for none
   */
  PromptDecoder(
      Pipeline pipeline, KvSequence sequence, ImageCache imageCache, long checkpointBytes) {
    this.pipeline = pipeline;
    this.sequence = sequence;
    VisionEncoder encoder = pipeline.encoder();
    PromptAttention attention =
        encoder == null ? PromptAttention.CAUSAL : encoder.architecture().attention();
    this.nonCausalImages = attention.nonCausalImages();
    this.hasTokenLimits = encoder != null && encoder.architecture().preprocessor().hasTokenLimits();
    TokenEmbeddings table = pipeline.tokenEmbeddings();
    boolean inOrder = attention == PromptAttention.IMAGES_IN_ORDER;
    this.bidirectional = table == null || inOrder ? null : new BidirectionalPrompt(table);
    this.canvas =
        table == null || !inOrder ? null : CanvasPrompt.of(table, pipeline.decoder().vocab());
    this.cache =
        new PromptCache(
            sequence,
            pipeline.decoder().nPositions(),
            bidirectional == null ? attention : PromptAttention.BIDIRECTIONAL_PREFIX,
            checkpointBytes,
            pipeline.decoder().vocab()::isControl);
    this.images =
        new ImageResolver(
            encoder, imageCache, pipeline.decoder().vocab(), pipeline.options().vision().images());
  }

  PromptCache cache() {
    return cache;
  }

  /** Tokens of a conversation up to where its answer begins. Encodes nothing. */
  int countTokens(List<Message> messages, PromptOptions options) {
    images.start(instruction(messages));
    Prompt prompt = pipeline.prompts().prompt(messages, options);
    return images.count(prompt, visuals(messages), cache).total();
  }

  /**
   * Brings the sequence to the prompt of a conversation. What stands in it already is not computed
   * again.
   *
   * @throws ContextOverflowException if it does not fit, before anything is encoded
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  Decoded decode(
      List<Message> messages, Prompt prompt, AnswerListener listener, CancellationFlag flag) {
    List<Visual> visuals = visuals(messages);
    images.start(instruction(messages));
    // images are measured before they are encoded: one that does not fit costs no time
    ImageResolver.Count count = images.count(prompt, visuals, cache);
    requireRoom(count);
    images.report(visuals, listener);
    List<ContextEntry> entries = images.resolve(prompt, visuals, flag);
    int[] tokens = ImageResolver.promptTokens(entries);
    entries = canvas == null ? entries : canvas.join(entries);
    long start = System.nanoTime();
    PrefixCache prefixes = pipeline.prefixCache();
    int nComputed =
        prefixes == null || bidirectional != null
            ? 0
            : prefixes.prepare(entries, cache, sequence, flag, listener);
    int nCached =
        cache.fill(bidirectional == null ? entries : bidirectional.join(entries), flag, listener)
            - nComputed;
    sequence.synchronize();
    double millis = (System.nanoTime() - start) / 1e6;
    return new Decoded(tokens, count.images(), nCached, millis);
  }

  /** All text of a conversation, as the prompts of families whose encoders read it join it. */
  private static String instruction(List<Message> messages) {
    return messages.stream()
        .map(Message::text)
        .filter(text -> !text.isEmpty())
        .collect(Collectors.joining(" "));
  }

  private static List<Visual> visuals(List<Message> messages) {
    return messages.stream().flatMap(m -> m.visuals().stream()).toList();
  }

  private void requireRoom(ImageResolver.Count count) {
    if (count.total() >= sequence.nCtx()) {
      throw new ContextOverflowException(
              Kind.CONTEXT,
              count.total() + 1,
              sequence.nCtx(),
              "The conversation has %d tokens (%d of them images), and the context holds %d with room for an answer. Use a larger context, %sfewer images or a shorter conversation."
                  .formatted(
                      count.total(),
                      count.images(),
                      sequence.nCtx(),
                      fewerTokens(count).length > 0 ? "fewer max tokens of an image, " : ""))
          .about(fewerTokens(count));
    }
    if (count.total() == 0) {
      throw new IllegalArgumentException("An empty prompt cannot be answered");
    }
    // tokens that attend to later ones are computed at once, or they would not attend to those
    int atOnce = bidirectional != null ? count.total() : nonCausalImages ? count.longestRows() : 0;
    if (atOnce > sequence.nUbatch()) {
      throw new ContextOverflowException(
              Kind.MICRO_BATCH,
              atOnce,
              sequence.nUbatch(),
              "%s %d tokens that this model must compute at once, and the context computes %d at once. Use a micro-batch and a batch of at least %d."
                  .formatted(
                      bidirectional != null ? "The prompt has" : "An image has",
                      atOnce,
                      sequence.nUbatch(),
                      atOnce))
          .about(fewerTokens(count));
    }
  }

  /** What makes images smaller, where there are any and the family knows it. */
  private Setting[] fewerTokens(ImageResolver.Count count) {
    boolean helps = hasTokenLimits && count.images() > 0;
    return helps ? new Setting[] {Setting.IMAGE_MAX_TOKENS} : new Setting[0];
  }

  /** Where the images of the last prompt came from. */
  ImageUse imageUse() {
    return images.use();
  }

  Timings.Stage preprocessTiming() {
    return images.preprocessTiming();
  }

  Timings.Stage encodeTiming() {
    return images.encodeTiming();
  }
}
