package dev.ocellus.convert.model;

/** Qwen2 and Qwen2.5 (arXiv:2407.10671, arXiv:2412.15115): biases on queries, keys and values. */
class Qwen2Text extends TextModel {
  Qwen2Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen2";
  }
}
