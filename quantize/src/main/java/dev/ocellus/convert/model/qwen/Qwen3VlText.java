package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;

/**
 * The language model of Qwen3-VL (arXiv:2511.21631): Qwen3 with 3D positions, which takes rows of
 * the image encoder in its first layers too.
 */
public final class Qwen3VlText extends Qwen3Text {
  public Qwen3VlText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen3vl";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    writeDeepstack(out, architecture(), context);
  }

  /** How many of the first layers take rows of the image encoder. */
  static void writeDeepstack(GgufWriter out, String architecture, Context context) {
    int layers =
        context
            .folder()
            .config()
            .findSection("vision_config", "qwen3_vl_vision")
            .map(v -> v.integers("deepstack_visual_indexes").length)
            .orElse(0);
    out.u32(architecture + ".n_deepstack_layers", layers);
  }
}
