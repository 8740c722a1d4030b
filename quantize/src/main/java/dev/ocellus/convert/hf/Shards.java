package dev.ocellus.convert.hf;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.pickle.PickleFile;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * All tensors of a checkpoint, in one file or in several with an index, in safetensors or as
 * PyTorch saves them. Files are memory-mapped. Tensors are ordered by file, then by name.
 */
final class Shards implements AutoCloseable {
  private final List<TensorFile> files = new ArrayList<>();
  private final Map<String, LazyTensor> tensors = new LinkedHashMap<>();

  private Shards() {}

  /**
   * Opens all files.
   *
   * @throws IOException if one cannot be read
   * @throws ConversionException if one is missing, or index and files disagree
   * @throws dev.ocellus.safetensors.SafetensorsFormatException if one is damaged
   * @throws dev.ocellus.pickle.PickleFormatException if one is damaged or holds more than tensors
   */
  static Shards open(Path directory) throws IOException {
    WeightFiles found = WeightFiles.in(directory);
    Shards shards = opened(found.files());
    boolean ok = false;
    try {
      found.requireTensors(shards.tensors.keySet());
      ok = true;
      return shards;
    } finally {
      if (!ok) {
        shards.close();
      }
    }
  }

  /** No tensors. */
  static Shards none() {
    return new Shards();
  }

  /** The tensors of one file. */
  static Shards of(Path file) throws IOException {
    return opened(List.of(file));
  }

  private static Shards opened(Collection<Path> paths) throws IOException {
    Shards shards = new Shards();
    boolean ok = false;
    try {
      for (Path path : paths) {
        shards.add(path);
      }
      ok = true;
      return shards;
    } finally {
      if (!ok) {
        shards.close();
      }
    }
  }

  private void add(Path path) throws IOException {
    TensorFile file =
        WeightFiles.isSafetensors(path) ? SafetensorsFile.open(path) : PickleFile.open(path);
    files.add(file);
    for (String name : new TreeSet<>(file.names())) {
      if (tensors.put(name, LazyTensor.of(file, name)) != null) {
        throw new ConversionException(
            "%s: tensor '%s' is in another file too. Files of two checkpoints were mixed."
                .formatted(path, name));
      }
    }
  }

  /** All tensors by name. */
  Map<String, LazyTensor> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    files.forEach(TensorFile::close);
  }
}
