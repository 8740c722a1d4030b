package dev.ocellus.vlm.template.runtime;

import java.util.List;

/** {@code cycler('odd', 'even')}: hands out its items in turn. */
public final class Cycler {
  private final List<Object> items;
  private int at;

  public Cycler(List<Object> items) {
    if (items.isEmpty()) {
      throw new EvaluationError("RuntimeError", "at least one item has to be provided");
    }
    this.items = items;
  }

  Object current() {
    return items.get(at);
  }

  public Object next() {
    Object item = current();
    at = (at + 1) % items.size();
    return item;
  }

  public Object reset() {
    at = 0;
    return None.NONE;
  }
}
