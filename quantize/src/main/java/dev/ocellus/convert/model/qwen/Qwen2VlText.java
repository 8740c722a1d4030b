package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.model.base.Context;

/** The language model of Qwen2-VL and Qwen2.5-VL (arXiv:2409.12191): Qwen2 with 3D positions. */
public final class Qwen2VlText extends Qwen2Text {
  public Qwen2VlText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen2vl";
  }
}
