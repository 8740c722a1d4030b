package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;

/** The language model of Qwen3-VL's mixtures of experts (arXiv:2511.21631). */
public final class Qwen3VlMoeText extends Qwen3MoeText {
  public Qwen3VlMoeText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen3vlmoe";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    Qwen3VlText.writeDeepstack(out, architecture(), context);
  }
}
