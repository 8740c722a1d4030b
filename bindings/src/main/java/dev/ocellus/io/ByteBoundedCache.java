package dev.ocellus.io;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The values used last, as many as fit a number of bytes. Thread-safe. */
public final class ByteBoundedCache<K, V> {
  private static final float LOAD = 0.75f;

  private final long capacity;
  private final ToLongFunction<V> size;
  private final Map<K, V> values = new LinkedHashMap<>(16, LOAD, true);
  private long bytes;

  /**
   * @param capacity most bytes of all together
   * @param size bytes of a value, which do not change
   */
  public ByteBoundedCache(long capacity, ToLongFunction<V> size) {
    this.capacity = capacity;
    this.size = size;
  }

  /** The value of a key, which is the one used last then; or null. */
  public synchronized @Nullable V find(K key) {
    return values.get(key);
  }

  /** Keeps a value, if it fits, and lets go of those used longest ago for it. */
  public synchronized void put(K key, V value) {
    long added = size.applyAsLong(value);
    if (added > capacity) {
      return;
    }
    V before = values.put(key, value);
    bytes += added - (before == null ? 0 : size.applyAsLong(before));
    Iterator<V> oldest = values.values().iterator();
    while (bytes > capacity) {
      bytes -= size.applyAsLong(oldest.next());
      oldest.remove();
    }
  }

  /** Lets go of all. */
  public synchronized void clear() {
    values.clear();
    bytes = 0;
  }

  /** Bytes of what is kept. */
  public synchronized long bytes() {
    return bytes;
  }
}
