package dev.ocellus.convert.model;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.MiniCpmVersion;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.llama.LlamaText;
import dev.ocellus.convert.model.qwen.Qwen2Text;
import dev.ocellus.convert.model.qwen.Qwen3Text;

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
