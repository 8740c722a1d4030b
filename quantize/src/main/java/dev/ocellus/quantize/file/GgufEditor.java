package dev.ocellus.quantize.file;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Changes the metadata of a GGUF file; tensors are copied as they are. */
public final class GgufEditor {
  /** One change. */
  public sealed interface Change {
    /** Sets a key, which may be new. */
    record Set(String key, GgufValue value) implements Change {}

    /** Removes a key, which must be there. */
    record Remove(String key) implements Change {}

    /** Gives a key, which must be there, another name, which must be free. */
    record Rename(String from, String to) implements Change {}
  }

  private GgufEditor() {}

  /**
   * Writes a changed copy. The output may be the input: it is replaced when the copy is complete.
   *
   * @param changes made in this order
   * @throws IllegalArgumentException if a change does not fit the file
   * @throws IOException if a file cannot be read or written; the output is as it was then
   */
  public static void edit(Path input, Path output, List<Change> changes) throws IOException {
    try (GgufFile file = GgufFile.openShard(input)) {
      Map<String, GgufValue> metadata = changed(file, changes);
      GgufWriter writer = new GgufWriter();
      metadata.forEach(writer::put);
      for (GgufTensor t : file.tensors()) {
        writer.tensor(t);
      }
      file.checkUnchanged();
      writer.write(output);
    }
  }

  private static Map<String, GgufValue> changed(GgufFile file, List<Change> changes) {
    Map<String, GgufValue> metadata = new LinkedHashMap<>(file.metadata().asMap());
    for (Change change : changes) {
      switch (change) {
        case Change.Set(String key, GgufValue value) -> metadata.put(key, value);
        case Change.Remove(String key) -> {
          require(file, metadata, key);
          metadata.remove(key);
        }
        case Change.Rename(String from, String to) -> {
          require(file, metadata, from);
          if (metadata.containsKey(to)) {
            throw new IllegalArgumentException(
                "%s has a key %s already; remove it first".formatted(file.path(), to));
          }
          Map<String, GgufValue> renamed = new LinkedHashMap<>();
          metadata.forEach((key, value) -> renamed.put(key.equals(from) ? to : key, value));
          metadata = renamed;
        }
      }
    }
    return metadata;
  }

  private static void require(GgufFile file, Map<String, GgufValue> metadata, String key) {
    if (!metadata.containsKey(key)) {
      throw new IllegalArgumentException("%s has no key %s".formatted(file.path(), key));
    }
  }
}
