package dev.ocellus.vlm.generate;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.EmbeddingAttention;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.VisionArchitecture;

/** What a context must be like for the images of a family. */
final class ContextForImages {
  /** Tokens of text beside an image in a prompt that is computed at once. */
  private static final int TEXT = 256;

  private ContextForImages() {}

  /** The options, with what embeddings attend to, and batches in which they can do so. */
  static LoadOptions of(LoadOptions options, VisionArchitecture family) {
    return options.withContextOptions(
        withBatches(withAttention(options.contextOptions(), family), options, family));
  }

  private static ContextOptions withAttention(ContextOptions context, VisionArchitecture family) {
    return switch (family.attention()) {
      case NON_CAUSAL_IMAGES_EVERYWHERE ->
          context.withEmbeddingAttention(EmbeddingAttention.EVERYWHERE);
      case IMAGES_IN_ORDER, VIDEOS_IN_ORDER ->
          context.withEmbeddingAttention(EmbeddingAttention.IN_ORDER);
      default -> context;
    };
  }

  /** Batches that hold the largest image, unless somebody has chosen their size. */
  private static ContextOptions withBatches(
      ContextOptions context, LoadOptions options, VisionArchitecture family) {
    PromptAttention attention = family.attention();
    int image = family.preprocessor().longestRows(options.vision().images());
    int atOnce = attention.causal() ? 0 : image;
    if (attention == PromptAttention.BIDIRECTIONAL_PREFIX) {
      atOnce += TEXT;
    }
    boolean chosen = context.nUbatch() != 0;
    return chosen || atOnce <= context.microBatch()
        ? context
        : context.withBatch(Math.max(context.nBatch(), atOnce), atOnce);
  }
}
