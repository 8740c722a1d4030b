package dev.ocellus.convert.model;

/** Qwen3 (arXiv:2505.09388): no biases, norms on queries and keys. */
class Qwen3Text extends TextModel {
  Qwen3Text(Context context) {
    super(context);
    if (config.flag("attention_bias", false)) {
      throw config.invalid(
          "attention_bias", "false, as llama.cpp adds none behind the attention", "true");
    }
  }

  @Override
  public String architecture() {
    return "qwen3";
  }
}
