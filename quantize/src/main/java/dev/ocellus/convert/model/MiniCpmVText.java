package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.HfConfig;

/**
 * The language models of MiniCPM-V, whose tensors are named as those of their own classes behind
 * {@code llm.}.
 */
final class MiniCpmVText {
  private MiniCpmVText() {}

  /** The converter of the version's class. */
  static ModelConverter of(Context context) {
    return switch (type(context.folder().config())) {
      case "qwen2" -> new Qwen2Text(context);
      case "qwen3" -> new Qwen3Text(context);
      default -> new LlamaText(context);
    };
  }

  /** The {@code model_type} of the language model's class. */
  static String type(HfConfig root) {
    return MiniCpmVVision.version(root).type();
  }
}
