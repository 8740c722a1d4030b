package dev.ocellus.convert.hf;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Folders of taming-transformers and those that followed it: a checkpoint of PyTorch Lightning
 * ({@code last.ckpt}) or a state dict, and what its run was told, {@code config.yaml} or {@code
 * model.yaml}, of which the section {@code model} describes the model.
 */
final class TamingLayout {
  private static final List<String> CONFIGS = List.of("config.yaml", "model.yaml", "config.yml");

  private TamingLayout() {}

  /** Whether a folder is to be read in this layout: it has no other configuration. */
  static boolean isOne(Path directory) {
    return !Files.exists(directory.resolve(HfFolder.CONFIG))
        && file(directory).isPresent()
        && hasWeights(directory);
  }

  private static Optional<Path> file(Path directory) {
    return CONFIGS.stream().map(directory::resolve).filter(Files::isRegularFile).findFirst();
  }

  private static boolean hasWeights(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(p -> String.valueOf(p.getFileName()))
          .anyMatch(n -> WeightFiles.isWeights(n.substring(n.lastIndexOf('.') + 1)));
    } catch (IOException e) {
      return false;
    }
  }

  /** What the section {@code model} says, or the whole where there is none. */
  static HfConfig config(Path directory) throws IOException {
    Path file = file(directory).orElseThrow();
    JsonNode root;
    try {
      root = new YAMLMapper().readTree(CheckpointFiles.text(file, ".yaml"));
    } catch (JacksonException e) {
      throw ConversionException.at(
          file, "file", "YAML", e.getOriginalMessage(), "Download the file again.");
    }
    JsonNode model = root.path("model");
    if ((model.isObject() ? model : root) instanceof ObjectNode node) {
      return HfConfig.of(file, node);
    }
    throw ConversionException.at(file, "file", "a mapping", "another value", "Is it another file?");
  }
}
