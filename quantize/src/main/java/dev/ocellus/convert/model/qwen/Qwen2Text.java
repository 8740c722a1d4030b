package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.TextModel;

/** Qwen2 and Qwen2.5 (arXiv:2407.10671, arXiv:2412.15115): biases on queries, keys and values. */
public class Qwen2Text extends TextModel {
  public Qwen2Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen2";
  }
}
