package dev.ocellus.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code torch.save} writes since version 1.6: a ZIP archive with {@code NAME/data.pkl}, the
 * storages as {@code NAME/data/KEY}, and the order of their bytes in {@code NAME/byteorder}.
 */
final class ZipForm {
  private static final String PICKLE = "/data.pkl";

  private ZipForm() {}

  static StoredState read(Path file, MemorySegment bytes) {
    ZipDirectory zip = ZipDirectory.read(file, bytes);
    String root = root(file, zip);
    PickleInput in = new PickleInput(file, zip.data(root + PICKLE), 0);
    StorageTable table = new StorageTable(in);
    Object value = PickleMachine.read(in, table);
    Map<String, MemorySegment> storages = new HashMap<>();
    for (Storage s : table.found().values()) {
      MemorySegment data = zip.data(root + "/data/" + s.key());
      if (data.byteSize() != s.totalBytes()) {
        throw new PickleFormatException(
            file,
            "storage " + PickleFormatException.quote(s.key()),
            s.totalBytes() + " bytes",
            Long.toString(data.byteSize()));
      }
      storages.put(s.key(), data);
    }
    return new StoredState(value, storages, order(file, zip, root));
  }

  private static String root(Path file, ZipDirectory zip) {
    List<String> roots =
        zip.names().stream()
            .filter(n -> n.endsWith(PICKLE))
            .map(n -> n.substring(0, n.length() - PICKLE.length()))
            .filter(n -> !n.contains("/"))
            .toList();
    if (roots.size() != 1) {
      throw new PickleFormatException(
          file,
          "archive",
          "one 'data.pkl' in a folder of it",
          Integer.toString(roots.size()),
          "Give a file that torch.save wrote.");
    }
    String root = roots.getFirst();
    if (zip.contains(root + "/constants.pkl")) {
      throw new PickleFormatException(
          file,
          "archive",
          "the tensors of a model",
          "a program of TorchScript",
          "Load it with torch.jit.load and save its state_dict().");
    }
    return root;
  }

  private static ByteOrder order(Path file, ZipDirectory zip, String root) {
    String name = root + "/byteorder";
    if (!zip.contains(name)) {
      return ByteOrder.LITTLE_ENDIAN;
    }
    MemorySegment data = zip.data(name);
    MemorySegment start = data.asSlice(0, Math.min(data.byteSize(), 8));
    String order = new String(start.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
    return switch (order) {
      case "little" -> ByteOrder.LITTLE_ENDIAN;
      case "big" -> ByteOrder.BIG_ENDIAN;
      default ->
          throw new PickleFormatException(
              file, "byteorder", "'little' or 'big'", PickleFormatException.quote(order));
    };
  }
}
