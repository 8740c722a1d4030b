package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An adapter in PEFT's layout: {@code adapter_config.json}, and {@code adapter_model.safetensors}
 * or {@code adapter_model.bin}.
 */
public final class AdapterFolder implements AutoCloseable {
  private static final String CONFIG = "adapter_config.json";
  private static final List<String> TENSORS =
      List.of("adapter_model.safetensors", "adapter_model.bin");

  private final Path directory;
  private final HfConfig config;
  private final Shards shards;

  private AdapterFolder(Path directory, HfConfig config, Shards shards) {
    this.directory = directory;
    this.config = config;
    this.shards = shards;
  }

  /** Whether a folder holds an adapter. */
  public static boolean isOne(Path directory) {
    return Files.exists(directory.resolve(CONFIG));
  }

  /**
   * Opens a folder.
   *
   * @throws IOException if a file is missing or cannot be read
   * @throws ConversionException if the configuration is damaged
   */
  public static AdapterFolder open(Path directory) throws IOException {
    Path file = directory.resolve(CONFIG);
    ObjectNode json = JsonFiles.object(file);
    for (String name : TENSORS) {
      Path tensors = directory.resolve(name);
      if (Files.exists(tensors)) {
        return new AdapterFolder(directory, HfConfig.of(file, json), Shards.of(tensors));
      }
    }
    throw new ConversionException(
        "%s: no %s. Download it into the same folder."
            .formatted(directory, String.join(" and no ", TENSORS)));
  }

  /** The folder. */
  public Path directory() {
    return directory;
  }

  /** {@code adapter_config.json}. */
  public HfConfig config() {
    return config;
  }

  /** All tensors by their names in the file. */
  public Map<String, LazyTensor> tensors() {
    return shards.tensors();
  }

  @Override
  public void close() {
    shards.close();
  }
}
