package dev.ocellus.vlm.template.runtime;

import org.jspecify.annotations.Nullable;

/** Something that a template can call. */
public interface Callable {
  Object call(Evaluation in, Arguments args);

  String typeName();

  /** An attribute of its own, or null. */
  default @Nullable Object attribute(String name) {
    return null;
  }
}
