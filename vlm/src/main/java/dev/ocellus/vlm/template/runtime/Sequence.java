package dev.ocellus.vlm.template.runtime;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A Python list or tuple; templates cannot change either. */
public final class Sequence {
  static final Sequence EMPTY_TUPLE = new Sequence(List.of(), true);

  private final List<Object> items;
  private final boolean tuple;

  /** A pair that {@code groupby} makes, whose halves have names. */
  private final boolean group;

  /**
   * How deep lists and dicts nest in it, bounded so that walking a value cannot exhaust a stack.
   */
  private final int depth;

  /** See {@link Values#weight}; shared parts count each time they appear. */
  private final long weight;

  private Sequence(List<Object> items, boolean tuple) {
    this(items, tuple, false);
  }

  private Sequence(List<Object> items, boolean tuple, boolean group) {
    this.items = items;
    this.tuple = tuple;
    this.group = group;
    int deepest = 0;
    long total = 1;
    for (int i = 0; i < items.size(); i++) {
      deepest = Math.max(deepest, Values.depth(items.get(i)));
      total = Values.addWeight(total, items.get(i));
    }
    this.depth = Values.deeper(deepest);
    this.weight = total;
  }

  public static Sequence list(List<Object> items) {
    return new Sequence(items, false);
  }

  public static Sequence tuple(List<Object> items) {
    return new Sequence(items, true);
  }

  public static Sequence tuple(Object first, Object second) {
    return new Sequence(List.of(first, second), true);
  }

  public static Sequence group(Object grouper, Sequence list) {
    return new Sequence(List.of(grouper, list), true, true);
  }

  boolean isGroup() {
    return group;
  }

  public List<Object> items() {
    return items;
  }

  public boolean isTuple() {
    return tuple;
  }

  public int size() {
    return items.size();
  }

  public Object get(int i) {
    return items.get(i);
  }

  long weight() {
    return weight;
  }

  int depth() {
    return depth;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (!(other instanceof Sequence s) || s.tuple != tuple || s.size() != size()) {
      return false;
    }
    for (int i = 0; i < items.size(); i++) {
      if (!Comparison.same(items.get(i), s.items.get(i))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = 7;
    for (Object item : items) {
      hash = 31 * hash + Dict.key(item).hashCode();
    }
    return hash;
  }
}
