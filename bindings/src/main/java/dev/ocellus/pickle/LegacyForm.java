package dev.ocellus.pickle;

import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What {@code torch.save} wrote before version 1.6, and still writes on demand: pickles of a magic
 * number, a version, the system and the value, then one of the list of storage keys, and the
 * storages in this order, each behind the number of its elements. Always little-endian.
 */
final class LegacyForm {
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final Long VERSION = 1001L;

  private LegacyForm() {}

  static StoredState read(Path file, MemorySegment bytes) {
    PickleInput in = new PickleInput(file, bytes, 0);
    PickleMachine.Storages none =
        id -> {
          throw in.bad("a persistent id", "none outside of the saved value", "one");
        };
    if (!PickleMachine.read(in, none).equals(MAGIC)) {
      throw new PickleFormatException(
          file,
          "start",
          "PyTorch's magic number",
          "another value",
          "It is a pickle, but none that torch.save wrote.");
    }
    Object version = PickleMachine.read(in, none);
    if (!version.equals(VERSION)) {
      throw in.bad("version of the form", "1001", "another");
    }
    PickleMachine.read(in, none); // of the system, whose order of bytes PyTorch does not use
    StorageTable table = new StorageTable(in);
    Object value = PickleMachine.read(in, table);
    Object keys = PickleMachine.read(in, none);
    return new StoredState(value, storages(in, bytes, table, keys), ByteOrder.LITTLE_ENDIAN);
  }

  private static Map<String, MemorySegment> storages(
      PickleInput in, MemorySegment bytes, StorageTable table, Object keys) {
    Map<String, MemorySegment> out = new HashMap<>();
    for (Object key : KnownGlobal.list(in, keys)) {
      Storage s = key instanceof String name ? table.found().get(name) : null;
      if (s == null || out.containsKey(s.key())) {
        throw in.bad("list of storages", "each key of a tensor once", "another key");
      }
      String what = "storage " + PickleFormatException.quote(s.key());
      long count = in.i64();
      if (count != s.total()) {
        throw in.bad(what, s.total() + " elements", Long.toString(count));
      }
      if (s.totalBytes() > in.remaining()) {
        throw in.bad(what, s.totalBytes() + " bytes", in.remaining() + " to the end of the file");
      }
      out.put(s.key(), bytes.asSlice(in.position(), s.totalBytes()));
      in.skip(s.totalBytes());
    }
    if (out.size() < table.found().size()) {
      throw in.bad(
          "list of storages", table.found().size() + " keys", Integer.toString(out.size()));
    }
    return out;
  }
}
