package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Callable;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.text.TracedText;

/** {@code joiner(', ')}: nothing at the first call, the separator from then on. */
final class Joiner implements Callable {
  private final Object separator;
  private boolean used;

  Joiner(Object separator) {
    this.separator = separator;
  }

  @Override
  public Object call(Evaluation in, Arguments args) {
    args.expect("joiner", 0, 0);
    Object out = used ? separator : TracedText.EMPTY;
    used = true;
    return out;
  }

  @Override
  public String typeName() {
    return "Joiner";
  }

  @Override
  public String toString() {
    return "<Joiner>";
  }
}
