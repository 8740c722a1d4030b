package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.tokenizer.ByteBpeTokenizer;
import dev.ocellus.vlm.tokenizer.ClipTokenizer;
import dev.ocellus.vlm.tokenizer.LlamaTokenizer;
import dev.ocellus.vlm.tokenizer.Siglip2Tokenizer;
import dev.ocellus.vlm.tokenizer.SiglipTokenizer;
import dev.ocellus.vlm.tokenizer.TextCleaning;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.tokenizer.UnigramTokenizer;
import dev.ocellus.vlm.tokenizer.WordPieceTokenizer;

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
    return cleaning(metadata).before(bare(metadata));
  }

  private static TextCleaning cleaning(GgufMetadata metadata) {
    String key = "clip.text.cleaning";
    String name = metadata.string(key, "none");
    return switch (name) {
      case "none" -> TextCleaning.NONE;
      case "whitespace" -> TextCleaning.WHITESPACE;
      case "lower" -> TextCleaning.LOWER;
      case "canonicalize" -> TextCleaning.CANONICALIZE;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are none, whitespace, lower, canonicalize"
                  .formatted(key, name));
    };
  }

  private static TextTokenizer bare(GgufMetadata metadata) {
    String model = metadata.string("tokenizer.ggml.model", "clip");
    return switch (model) {
      case "clip" -> ClipTokenizer.of(metadata);
      case "gpt2" -> ByteBpeTokenizer.of(metadata);
      case "llama" -> LlamaTokenizer.of(metadata);
      case "t5" -> SiglipTokenizer.of(metadata);
      case "unigram" -> UnigramTokenizer.of(metadata);
      case "siglip2" -> Siglip2Tokenizer.of(metadata);
      case "wordpiece" -> WordPieceTokenizer.of(metadata);
      default ->
          throw new UnsupportedArchitectureException(
              "tokenizer.ggml.model: '%s' is not known for a dual encoder; known are clip, gpt2, llama, siglip2, t5, unigram, wordpiece"
                  .formatted(model));
    };
  }
}
