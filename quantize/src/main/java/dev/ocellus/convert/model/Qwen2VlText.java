package dev.ocellus.convert.model;

/** The language model of Qwen2-VL and Qwen2.5-VL (arXiv:2409.12191): Qwen2 with 3D positions. */
final class Qwen2VlText extends Qwen2Text {
  Qwen2VlText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen2vl";
  }
}
