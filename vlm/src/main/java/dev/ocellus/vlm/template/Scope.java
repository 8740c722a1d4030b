package dev.ocellus.vlm.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names in one block; those of the blocks around it are seen but not changed. */
final class Scope {
  private final @Nullable Scope outer;
  private @Nullable Map<String, Object> names;

  Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  @Nullable Object get(String name) {
    for (Scope s = this; s != null; s = s.outer) {
      if (s.names != null) {
        Object value = s.names.get(name);
        if (value != null) {
          return value;
        }
      }
    }
    return null;
  }

  void set(String name, Object value) {
    if (names == null) {
      names = new HashMap<>();
    }
    names.put(name, value);
  }
}
