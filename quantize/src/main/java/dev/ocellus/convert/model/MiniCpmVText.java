package dev.ocellus.convert.model;

/**
 * The language models of MiniCPM-V, whose tensors are named as those of their own classes behind
 * {@code llm.}.
 */
final class MiniCpmVText {
  private MiniCpmVText() {}

  /** The converter of the version's class. */
  static ModelConverter of(Context context) {
    return switch (MiniCpmVersion.of(context.folder().config()).type()) {
      case "qwen2" -> new Qwen2Text(context);
      case "qwen3" -> new Qwen3Text(context);
      default -> new LlamaText(context);
    };
  }
}
