package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.TextModel;

/** Qwen3 (arXiv:2505.09388): no biases, norms on queries and keys. */
public class Qwen3Text extends TextModel {
  public Qwen3Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen3";
  }
}
