package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.HfConfig;
import java.util.Map;

/**
 * The language models of MiniCPM-V, whose tensors are named as those of their own classes behind
 * {@code llm.}.
 */
final class MiniCpmVText {
  private static final Map<String, String> CLASSES =
      Map.of("2.6", "qwen2", "4.0", "llama", "4.5", "qwen3");

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
    return CLASSES.get(MiniCpmVVision.version(root));
  }
}
