package dev.ocellus.vlm.template;

/** Something that a template can call. */
interface Callable {
  Object call(Evaluation in, Arguments args);

  String typeName();
}
