package dev.ocellus.vlm.template;

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
    Object out = used ? separator : Text.EMPTY;
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
