package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which files of a folder hold the tensors of its model. safetensors are taken before PyTorch's
 * files, as transformers does, since many folders hold the same weights in both.
 *
 * @param files all of them, in the order of their names
 * @param index the file that lists tensors, or null
 * @param indexed the tensors that it lists
 */
record WeightFiles(List<Path> files, @Nullable Path index, Set<String> indexed) {
  private static final String SAFETENSORS = ".safetensors";
  private static final String SAFETENSORS_INDEX = "model.safetensors.index.json";
  private static final String BIN = ".bin";
  private static final String BIN_INDEX = "pytorch_model.bin.index.json";

  private static final Pattern NUMBERED = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})(\\.\\w+)");

  /**
   * What else PyTorch saves beside a model: states of training, adapters, parts in another layout.
   */
  private static final Pattern NO_MODEL =
      Pattern.compile(
          "(optimizer|scheduler|scaler|rng_state|training_args|trainer|random_states|adapter_model|consolidated).*");

  static boolean isSafetensors(Path file) {
    return file.toString().endsWith(SAFETENSORS);
  }

  /**
   * Whether a file of this name may hold tensors.
   *
   * @param suffix behind the last dot, in small letters
   */
  static boolean isWeights(String suffix) {
    return Set.of("safetensors", "bin", "pt", "pth", "ckpt").contains(suffix);
  }

  /**
   * Finds them.
   *
   * @throws ConversionException if there are none, one is missing, or it is not clear which
   */
  static WeightFiles in(Path directory) throws IOException {
    List<String> all;
    try (Stream<Path> entries = Files.list(directory)) {
      all = entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
    if (OpenClipLayout.isOne(directory)) {
      return openClip(directory, all);
    }
    if (all.contains(SAFETENSORS_INDEX)) {
      return indexed(directory, SAFETENSORS_INDEX, SAFETENSORS);
    }
    List<String> found = named(all, "model", SAFETENSORS);
    if (!found.isEmpty()) {
      return unindexed(directory, found);
    }
    if (all.contains("pytorch_model.bin")) {
      return unindexed(directory, List.of("pytorch_model.bin"));
    }
    if (all.contains(BIN_INDEX)) {
      return indexed(directory, BIN_INDEX, BIN);
    }
    found = named(all, "pytorch_model", BIN);
    if (found.isEmpty() && LlamaGenLayout.hasBoth(all)) {
      return unindexed(directory, LlamaGenLayout.files(all));
    }
    return unindexed(directory, found.isEmpty() ? List.of(only(directory, all)) : found);
  }

  private static WeightFiles openClip(Path directory, List<String> all) {
    List<String> found = named(all, OpenClipLayout.WEIGHTS, SAFETENSORS);
    if (found.isEmpty()) {
      String pickled = OpenClipLayout.PICKLED;
      found = List.of(all.contains(pickled) ? pickled : only(directory, all));
    }
    return unindexed(directory, found);
  }

  private static List<String> named(List<String> all, String start, String end) {
    return all.stream().filter(n -> n.startsWith(start) && n.endsWith(end)).toList();
  }

  private static WeightFiles indexed(Path directory, String name, String suffix)
      throws IOException {
    Path index = directory.resolve(name);
    if (!(JsonFiles.object(index).get("weight_map") instanceof ObjectNode map)) {
      throw ConversionException.at(
          index, "'weight_map'", "an object", "none", "Download the file again.");
    }
    Map<String, String> fileOf = new TreeMap<>();
    for (Map.Entry<String, JsonNode> e : map.properties()) {
      String file = e.getValue().asText();
      if (!file.endsWith(suffix) || file.contains("/") || file.contains("\\")) {
        throw ConversionException.at(
            index,
            "'weight_map." + e.getKey() + "'",
            "the name of a %s file in the same folder".formatted(suffix),
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
    List<Path> files = names.stream().map(directory::resolve).toList();
    return new WeightFiles(files, index, fileOf.keySet());
  }

  private static WeightFiles unindexed(Path directory, List<String> names) {
    requireComplete(directory, names);
    return new WeightFiles(names.stream().map(directory::resolve).toList(), null, Set.of());
  }

  /** The one file of PyTorch, whatever its name is, as older projects published their models. */
  private static String only(Path directory, List<String> all) {
    List<String> found =
        all.stream()
            .filter(n -> isWeights(n.substring(n.lastIndexOf('.') + 1)) && !n.endsWith(SAFETENSORS))
            .filter(n -> !NO_MODEL.matcher(n).matches())
            .toList();
    if (found.isEmpty()) {
      throw new ConversionException(
          "%s: no model.safetensors, no pytorch_model.bin, and no index of either. %s"
              .formatted(directory, advice(all)));
    }
    if (found.size() > 1) {
      throw new ConversionException(
          "%s: %d files may hold the model: %s. Leave one of them in the folder, or name it pytorch_model.bin."
              .formatted(directory, found.size(), listed(found)));
    }
    return found.getFirst();
  }

  private static String advice(List<String> all) {
    if (all.stream().anyMatch(n -> n.startsWith("consolidated"))) {
      return "Files of Mistral's and Meta's own layout are not read; take the checkpoint with config.json and model.safetensors.";
    }
    if (all.stream().anyMatch(n -> n.startsWith("adapter_model."))) {
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
          String other = "%s-%05d-of-%s%s".formatted(m.group(1), i, m.group(3), m.group(4));
          if (!found.contains(other)) {
            throw new ConversionException(
                "%s: %s is missing, of %d files. Download it into the same folder."
                    .formatted(directory, other, count));
          }
        }
      }
    }
  }

  /**
   * @throws ConversionException if a tensor that the index lists is not among these
   */
  void requireTensors(Set<String> names) {
    List<String> lost = indexed.stream().filter(t -> !names.contains(t)).toList();
    if (!lost.isEmpty()) {
      throw new ConversionException(
          "%s: %d tensors of the index are in none of its files: %s. A file is incomplete or of another checkpoint; download it again."
              .formatted(index, lost.size(), listed(lost)));
    }
  }

  /** Names for a message: the first few. */
  static String listed(Collection<String> names) {
    String some = String.join(", ", names.stream().limit(5).toList());
    return names.size() > 5 ? some + " and " + (names.size() - 5) + " more" : some;
  }
}
