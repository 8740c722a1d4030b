package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * An adapter in PEFT's layout: {@code adapter_config.json} and {@code adapter_model.safetensors}.
 */
public final class AdapterFolder implements AutoCloseable {
  private static final String CONFIG = "adapter_config.json";
  private static final String TENSORS = "adapter_model.safetensors";

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
    if (!Files.exists(directory.resolve(TENSORS))) {
      throw new ConversionException(
          "%s: no %s. PyTorch files are not read; save the adapter as safetensors."
              .formatted(directory, TENSORS));
    }
    return new AdapterFolder(
        directory, HfConfig.of(file, json), Shards.of(directory.resolve(TENSORS)));
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
