package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Folders as open_clip publishes them: {@code open_clip_config.json} and {@code
 * open_clip_model.safetensors} or {@code open_clip_pytorch_model.bin}, with tokenizer files as
 * HuggingFace's.
 */
final class OpenClipLayout {
  /** What the names of files with weights begin with. */
  static final String WEIGHTS = "open_clip_model";

  /** The file of weights that PyTorch saved. */
  static final String PICKLED = "open_clip_pytorch_model.bin";

  private static final String CONFIG = "open_clip_config.json";

  private OpenClipLayout() {}

  /**
   * Whether a folder is to be read in this layout. Many folders hold a model of transformers beside
   * it, with the same weights, which is taken then; timm's {@code config.json} names no class.
   */
  static boolean isOne(Path directory) {
    if (!Files.exists(directory.resolve(CONFIG))) {
      return false;
    }
    try {
      Path other = directory.resolve(HfFolder.CONFIG);
      return !Files.exists(other)
          || !JsonFiles.object(other).path("architectures").path(0).isTextual()
          || !hasWeights(directory);
    } catch (IOException | ConversionException e) {
      return true; // it cannot be the other one
    }
  }

  private static boolean hasWeights(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(p -> String.valueOf(p.getFileName()))
          .anyMatch(n ->
              (n.startsWith("model") && n.endsWith(".safetensors"))
                  || (n.startsWith("pytorch_model") && n.endsWith(".bin")));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** The configuration, as if it named a class. */
  static HfConfig config(Path directory) throws IOException {
    Path file = directory.resolve(CONFIG);
    ObjectNode node = JsonFiles.object(file).deepCopy();
    node.putArray("architectures").add(HfFolder.OPEN_CLIP);
    node.put("model_type", HfFolder.OPEN_CLIP);
    return HfConfig.of(file, node);
  }
}
