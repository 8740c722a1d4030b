package dev.ocellus.vlm.template;

import java.util.List;

/** {@code cycler('odd', 'even')}: hands out its items in turn. */
final class Cycler {
  private final List<Object> items;
  private int at;

  Cycler(List<Object> items) {
    if (items.isEmpty()) {
      throw new Fail("RuntimeError", "at least one item has to be provided");
    }
    this.items = items;
  }

  Object current() {
    return items.get(at);
  }

  Object next() {
    Object item = current();
    at = (at + 1) % items.size();
    return item;
  }

  Object reset() {
    at = 0;
    return None.NONE;
  }
}
