package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.tokenizer.ClipTokenizer;
import dev.ocellus.vlm.tokenizer.Siglip2Tokenizer;
import dev.ocellus.vlm.tokenizer.SiglipTokenizer;
import dev.ocellus.vlm.tokenizer.TextTokenizer;

/** The tokenizers of dual encoders, by {@code tokenizer.ggml.model}. */
final class DualTokenizers {
  private DualTokenizers() {}

  /**
   * The tokenizer of a file.
   *
   * @throws UnsupportedArchitectureException if it is none of those known
   * @throws dev.ocellus.vlm.tokenizer.TokenizerFormatException if its data cannot be
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  static TextTokenizer of(GgufMetadata metadata) {
    String model = metadata.string("tokenizer.ggml.model", "clip");
    return switch (model) {
      case "clip" -> ClipTokenizer.of(metadata);
      case "t5" -> SiglipTokenizer.of(metadata);
      case "siglip2" -> Siglip2Tokenizer.of(metadata);
      default ->
          throw new UnsupportedArchitectureException(
              "tokenizer.ggml.model: '%s' is not known for a dual encoder; known are clip, t5, siglip2"
                  .formatted(model));
    };
  }
}
