package dev.ocellus.vlm.template.runtime;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names in one block; those of the blocks around it are seen but not changed. */
public final class Scope {
  private final @Nullable Scope outer;
  private @Nullable Map<String, Object> names;

  public Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  public @Nullable Object get(String name) {
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

  public void set(String name, Object value) {
    if (names == null) {
      names = new HashMap<>();
    }
    names.put(name, value);
  }
}
