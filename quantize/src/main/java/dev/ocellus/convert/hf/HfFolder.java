package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/**
 * A checkpoint in HuggingFace's layout: {@code config.json}, safetensors or PyTorch files,
 * tokenizer and processor files; or in open_clip's, whose files of weights and configuration have
 * other names ({@link OpenClipLayout}); or as VQ models are published, with YAML ({@link
 * TamingLayout}) or without any configuration ({@link LlamaGenLayout}). Closing unmaps the tensors.
 */
public final class HfFolder implements AutoCloseable {
  /** What {@link HfConfig#architecture} is for a folder in open_clip's layout. */
  public static final String OPEN_CLIP = "open_clip";

  static final String CONFIG = "config.json";

  private final Path directory;
  private final HfConfig config;
  private final Shards shards;
  private final Map<String, LazyTensor> tensors;

  private HfFolder(Path directory, HfConfig config, Shards shards) {
    this(directory, config, shards, Float8.widened(config, shards.tensors()));
  }

  private HfFolder(
      Path directory, HfConfig config, Shards shards, Map<String, LazyTensor> tensors) {
    this.directory = directory;
    this.config = config;
    this.shards = shards;
    this.tensors = tensors;
  }

  /**
   * The same folder with an adapter added to its tensors. Both stay open as long as it is used;
   * closing it closes this one.
   *
   * @throws ConversionException if the adapter cannot be merged, or is not of this checkpoint
   */
  public HfFolder with(AdapterFolder adapter) {
    return new HfFolder(directory, config, shards, LoraMerge.merged(tensors, adapter));
  }

  /**
   * Opens a folder.
   *
   * @throws IOException if it is missing, is no folder, or a file in it cannot be read
   * @throws ConversionException if configuration or tensors are missing or damaged
   */
  public static HfFolder open(Path directory) throws IOException {
    requireFolder(directory);
    HfConfig config = config(directory);
    Shards shards = Shards.open(directory);
    boolean ok = false;
    try {
      HfFolder folder = new HfFolder(directory, config, shards);
      ok = true;
      return folder;
    } finally {
      if (!ok) {
        shards.close();
      }
    }
  }

  /**
   * Opens a folder for its configuration and tokenizer; it need not have tensors, and has none.
   *
   * @throws IOException if it is missing, is no folder, or a file in it cannot be read
   * @throws ConversionException if the configuration is missing or damaged
   */
  public static HfFolder openConfiguration(Path directory) throws IOException {
    requireFolder(directory);
    return new HfFolder(directory, config(directory), Shards.none());
  }

  /**
   * Whether a file of this name may hold tensors of a checkpoint.
   *
   * @param suffix behind the last dot, in small letters
   */
  public static boolean isWeights(String suffix) {
    return WeightFiles.isWeights(suffix);
  }

  /**
   * Bytes of the files that hold the tensors.
   *
   * @throws IOException if the folder cannot be read
   * @throws ConversionException if there are none, or one is missing
   */
  public static long bytesOfWeights(Path directory) throws IOException {
    long bytes = 0;
    for (Path file : WeightFiles.in(directory).files()) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Whether this looks like a folder that {@link #open} takes. */
  public static boolean isOne(Path path) {
    return Files.isDirectory(path)
        && (Files.exists(path.resolve(CONFIG))
            || OpenClipLayout.isOne(path)
            || TamingLayout.isOne(path)
            || LlamaGenLayout.isOne(path));
  }

  /** The name of a folder, which stands for a model's where nothing else names it. */
  public static String nameOf(Path directory) {
    Path last = directory.toAbsolutePath().normalize().getFileName();
    return last == null ? "model" : last.toString();
  }

  private static void requireFolder(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(directory.toString(), null, "no such folder; check the path");
    }
    if (!Files.isDirectory(directory)) {
      throw new FileSystemException(
          directory.toString(), null, "is a file; give the folder of a HuggingFace checkpoint");
    }
  }

  private static HfConfig config(Path directory) throws IOException {
    if (OpenClipLayout.isOne(directory)) {
      return OpenClipLayout.config(directory);
    }
    if (TamingLayout.isOne(directory)) {
      return TamingLayout.config(directory);
    }
    if (LlamaGenLayout.isOne(directory)) {
      return LlamaGenLayout.config(directory);
    }
    Path file = directory.resolve(CONFIG);
    if (!Files.exists(file)) {
      String what =
          Files.exists(directory.resolve("params.json"))
              ? "This is Mistral's own layout; take the checkpoint with config.json."
              : "Give the folder of a HuggingFace checkpoint.";
      throw new ConversionException("%s: no config.json. %s".formatted(directory, what));
    }
    return HfConfig.of(file, JsonFiles.object(file));
  }

  /** The folder. */
  public Path directory() {
    return directory;
  }

  /** {@code config.json}, or {@code open_clip_config.json} of a folder in that layout. */
  public HfConfig config() {
    return config;
  }

  /** All tensors by their names in the checkpoint. */
  public Map<String, LazyTensor> tensors() {
    return tensors;
  }

  /** A file of the folder. */
  public Path file(String name) {
    return directory.resolve(name);
  }

  /** A JSON object of the folder; an empty one where there is no such file. */
  public ObjectNode json(String name) throws IOException {
    return JsonFiles.findObject(file(name)).orElseGet(JsonNodeFactory.instance::objectNode);
  }

  @Override
  public void close() {
    shards.close();
  }
}
