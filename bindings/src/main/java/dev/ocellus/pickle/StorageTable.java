package dev.ocellus.pickle;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The storages that a pickle names by persistent ids: {@code ("storage", type, key, device,
 * count)}, and in the older form a sixth, {@code (key, first, count)} of a part of it, or None.
 */
final class StorageTable implements PickleMachine.Storages {
  private final PickleInput in;
  private final Map<String, Storage> found = new LinkedHashMap<>();

  StorageTable(PickleInput in) {
    this.in = in;
  }

  /** All that were named, by their keys. */
  Map<String, Storage> found() {
    return found;
  }

  @Override
  public Storage find(Object id) {
    if (!(id instanceof PickleMachine.Tuple tuple)
        || tuple.values.size() < 5
        || !"storage".equals(tuple.values.getFirst())) {
      throw in.bad("a persistent id", "that of a storage", "another (a saved module?)");
    }
    List<Object> v = tuple.values;
    if (!(v.get(1) instanceof KnownGlobal global)
        || global.role() != KnownGlobal.Role.STORAGE
        || global.type() == null
        || !(v.get(2) instanceof String key)) {
      throw in.bad("a storage", "its type and key", "other values");
    }
    long total = size(v.get(4));
    Storage whole = new Storage(key, global.type(), 0, total, total);
    Storage before = found.putIfAbsent(key, whole);
    if (before != null && before.totalBytes() != whole.totalBytes()) {
      throw in.bad(
          "storage " + PickleFormatException.quote(key),
          before.totalBytes() + " bytes, as before",
          Long.toString(whole.totalBytes()));
    }
    return v.size() > 5 && v.get(5) != PickleMachine.Nil.NONE ? part(whole, v.get(5)) : whole;
  }

  private Storage part(Storage whole, Object metadata) {
    List<Object> m = KnownGlobal.list(in, metadata);
    if (m.size() != 3) {
      throw in.bad("part of a storage", "3 values", Integer.toString(m.size()));
    }
    long first = size(m.get(1));
    long count = size(m.get(2));
    if (first > whole.total() || count > whole.total() - first) {
      throw in.bad(
          "part of a storage", "within " + whole.total(), "%d from %d on".formatted(count, first));
    }
    return new Storage(whole.key(), whole.type(), first, count, whole.total());
  }

  private long size(Object value) {
    long n = KnownGlobal.integer(in, value);
    if (n < 0 || n > Long.MAX_VALUE / 8) {
      throw in.bad("size of a storage", "0 to 2^60", Long.toString(n));
    }
    return n;
  }
}
