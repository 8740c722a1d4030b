package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * All tensors of a checkpoint, in one safetensors file or in several with an index. Files are
 * memory-mapped. Tensors are ordered by file, then by name.
 */
final class Shards implements AutoCloseable {
  static final String INDEX = "model.safetensors.index.json";

  private static final Pattern NUMBERED =
      Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.safetensors");

  private final List<SafetensorsFile> files = new ArrayList<>();
  private final Map<String, LazyTensor> tensors = new LinkedHashMap<>();

  private Shards() {}

  /**
   * Opens all files.
   *
   * @param name what the names of files without an index begin with
   * @throws IOException if one cannot be read
   * @throws ConversionException if one is missing, or index and files disagree
   * @throws dev.ocellus.safetensors.SafetensorsFormatException if one is damaged
   */
  static Shards open(Path directory, String name) throws IOException {
    Shards shards = new Shards();
    boolean ok = false;
    try {
      Path index = directory.resolve(INDEX);
      if (name.equals("model") && Files.exists(index)) {
        shards.openIndexed(directory, index);
      } else {
        shards.addAll(unindexed(directory, name));
      }
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
    Shards shards = new Shards();
    shards.addAll(List.of(file));
    return shards;
  }

  private void openIndexed(Path directory, Path index) throws IOException {
    if (!(JsonFiles.object(index).get("weight_map") instanceof ObjectNode map)) {
      throw ConversionException.at(
          index, "'weight_map'", "an object", "none", "Download the file again.");
    }
    Map<String, String> fileOf = new TreeMap<>();
    for (Map.Entry<String, JsonNode> e : map.properties()) {
      String file = e.getValue().asText();
      if (!file.endsWith(".safetensors") || file.contains("/") || file.contains("\\")) {
        throw ConversionException.at(
            index,
            "'weight_map." + e.getKey() + "'",
            "the name of a .safetensors file in the same folder",
            "'" + file + "'",
            "Download the file again.");
      }
      fileOf.put(e.getKey(), file);
    }
    TreeSet<String> names = new TreeSet<>(fileOf.values());
    List<String> missing = names.stream().filter(n -> !Files.exists(directory.resolve(n))).toList();
    if (!missing.isEmpty()) {
      throw new ConversionException(
          "%s: the index names %d files, of which %d are missing: %s. Download them into the same folder."
              .formatted(directory, names.size(), missing.size(), listed(missing)));
    }
    addAll(names.stream().map(directory::resolve).toList());
    List<String> lost = fileOf.keySet().stream().filter(t -> !tensors.containsKey(t)).toList();
    if (!lost.isEmpty()) {
      throw new ConversionException(
          "%s: %d tensors of the index are in none of its files: %s. A file is incomplete or of another checkpoint; download it again."
              .formatted(index, lost.size(), listed(lost)));
    }
  }

  private static List<Path> unindexed(Path directory, String name) throws IOException {
    List<String> all;
    try (Stream<Path> entries = Files.list(directory)) {
      all = entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
    List<String> found =
        all.stream().filter(n -> n.startsWith(name) && n.endsWith(".safetensors")).toList();
    if (found.isEmpty()) {
      throw new ConversionException(
          "%s: no %s.safetensors and no %s. %s".formatted(directory, name, INDEX, advice(all)));
    }
    requireComplete(directory, found);
    return found.stream().map(directory::resolve).toList();
  }

  private static String advice(List<String> all) {
    if (all.stream().anyMatch(n -> n.endsWith(".bin") || n.endsWith(".pth") || n.endsWith(".pt"))) {
      return "PyTorch files are not read, as they can hold any program; save the model as safetensors (save_pretrained).";
    }
    if (all.stream().anyMatch(n -> n.startsWith("consolidated"))) {
      return "Files of Mistral's own layout are not read; take the checkpoint with config.json and model.safetensors.";
    }
    if (all.contains("adapter_model.safetensors")) {
      return "This is an adapter (LoRA); its base model is another folder.";
    }
    return "Give the folder of a HuggingFace checkpoint.";
  }

  private static void requireComplete(Path directory, List<String> found) {
    for (String name : found) {
      Matcher m = NUMBERED.matcher(name);
      if (m.matches()) {
        int count = Integer.parseInt(m.group(3));
        for (int i = 1; i <= count && i <= found.size() + 1; i++) {
          String other = "%s-%05d-of-%s.safetensors".formatted(m.group(1), i, m.group(3));
          if (!found.contains(other)) {
            throw new ConversionException(
                "%s: %s is missing, of %d files. Download it into the same folder."
                    .formatted(directory, other, count));
          }
        }
      }
    }
  }

  private void addAll(Collection<Path> paths) throws IOException {
    for (Path path : paths) {
      SafetensorsFile file = SafetensorsFile.open(path);
      files.add(file);
      for (String name : new TreeSet<>(file.names())) {
        if (tensors.put(name, LazyTensor.of(file, name)) != null) {
          throw new ConversionException(
              "%s: tensor '%s' is in another file too. Files of two checkpoints were mixed."
                  .formatted(path, name));
        }
      }
    }
  }

  /** All tensors by name. */
  Map<String, LazyTensor> tensors() {
    return tensors;
  }

  /** Names for a message: the first few. */
  static String listed(Collection<String> names) {
    String some = String.join(", ", names.stream().limit(5).toList());
    return names.size() > 5 ? some + " and " + (names.size() - 5) + " more" : some;
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
