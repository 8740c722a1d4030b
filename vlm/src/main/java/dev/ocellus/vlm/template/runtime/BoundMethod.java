package dev.ocellus.vlm.template.runtime;

/** A method fetched from its object, to be called. */
record BoundMethod(Object owner, String name) implements Callable {
  @Override
  public Object call(Evaluation in, Arguments args) {
    return in.builtins().method(in, owner, name, args);
  }

  @Override
  public String typeName() {
    return "builtin_function_or_method";
  }

  @Override
  public String toString() {
    return "<built-in method " + name + " of " + Values.typeName(owner) + " object>";
  }
}
