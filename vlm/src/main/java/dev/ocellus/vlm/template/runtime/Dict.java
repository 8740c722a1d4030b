package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TracedText;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A Python dict: keeps the order of insertion; 1, 1.0 and true are one key. */
public final class Dict {
  /** The key as it was given, which is how it prints, and its value. */
  public record Entry(Object key, Object value) {}

  /** Hashing a key walks over all of it. */
  private static final int MAX_KEY_WEIGHT = 1000;

  private final Map<Object, Entry> entries;
  private int depth = 1;
  private long weight = 1;

  public Dict() {
    this.entries = new LinkedHashMap<>();
  }

  public Dict(int capacity) {
    this.entries = LinkedHashMap.newLinkedHashMap(capacity);
  }

  /** The form in which equal keys are equal Java objects. */
  public static Object key(Object o) {
    if (o instanceof TracedText || o instanceof Long || o == None.NONE) {
      return o;
    }
    if (o instanceof Boolean b) {
      return b ? 1L : 0L;
    }
    if (o instanceof Double d) {
      if (d == Math.rint(d) && !Double.isInfinite(d)) {
        return PythonNumbers.narrow(new BigDecimal(d).toBigInteger());
      }
      return d;
    }
    if (o instanceof Dict || o instanceof DictView || (o instanceof Sequence s && !s.isTuple())) {
      throw EvaluationError.type("unhashable type: '" + Values.typeName(o) + "'");
    }
    if (o instanceof Sequence s && s.weight() > MAX_KEY_WEIGHT) {
      throw EvaluationError.limit("a tuple of more than " + MAX_KEY_WEIGHT + " parts as a key");
    }
    return o instanceof Undefined ? Undefined.class : o;
  }

  public void put(Object key, Object value) {
    Object k = key(key);
    depth = Math.max(depth, Values.deeper(Math.max(Values.depth(key), Values.depth(value))));
    weight = Values.addWeight(Values.addWeight(weight, key), value);
    Entry old = entries.get(k);
    entries.put(k, new Entry(old == null ? key : old.key, value));
  }

  public void put(String key, Object value) {
    put(TracedText.trusted(key), value);
  }

  public void putAll(Dict other) {
    for (Entry e : other.entries()) {
      put(e.key, e.value);
    }
  }

  public @Nullable Object get(Object key) {
    Entry e = entries.get(key(key));
    return e == null ? null : e.value;
  }

  boolean contains(Object key) {
    return entries.containsKey(key(key));
  }

  void remove(Object key) {
    entries.remove(key(key));
  }

  public int size() {
    return entries.size();
  }

  /** See {@link Values#weight}; values that were overwritten still count. */
  long weight() {
    return weight;
  }

  int depth() {
    return depth;
  }

  public Collection<Entry> entries() {
    return entries.values();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (!(other instanceof Dict d) || d.size() != size()) {
      return false;
    }
    for (Map.Entry<Object, Entry> e : entries.entrySet()) {
      Entry theirs = d.entries.get(e.getKey());
      if (theirs == null || !Comparison.same(e.getValue().value, theirs.value)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return entries.size();
  }
}
