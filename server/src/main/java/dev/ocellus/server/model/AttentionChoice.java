package dev.ocellus.server.model;

import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;

/**
 * How attention is computed where nobody says it and answers share a context on the CPU. The kernel
 * of flash attention goes through the cells of all sequences for each token and head by itself,
 * which takes twice the time of all else in a step of a small model. What it saves is memory for
 * scores, of which small contexts need little.
 */
final class AttentionChoice {
  /** Bytes of scores that may be held at once. */
  private static final long MAX_SCORES = 128L << 20;

  private AttentionChoice() {}

  /** The options, with flash attention off where it costs more than it gives. */
  static LoadOptions in(LoadOptions options) throws IOException {
    ContextOptions context = options.contextOptions();
    boolean isOpen =
        context.flashAttention() == FlashAttention.AUTO
            && context.typeV() == TensorType.F16 // other types of values need it
            && options.sessions().parallel() > 1
            && Files.isRegularFile(options.model())
            && (options.modelOptions().nGpuLayers() == 0 || Device.gpus().isEmpty());
    return isOpen && scoreBytes(options) <= MAX_SCORES
        ? options.withContextOptions(context.withFlashAttention(FlashAttention.OFF))
        : options;
  }

  private static long scoreBytes(LoadOptions options) throws IOException {
    try (GgufFile file = GgufFile.open(options.model())) {
      long each = MemoryEstimate.nCtx(file.metadata(), options.contextOptions());
      long nCtx = each * options.sessions().parallel();
      long nTokens = Math.min(options.contextOptions().microBatch(), nCtx);
      return Float.BYTES * nTokens * nCtx * MemoryEstimate.nHead(file.metadata());
    }
  }
}
