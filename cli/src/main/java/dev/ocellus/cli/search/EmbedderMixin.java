package dev.ocellus.cli.search;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.search.IndexInfo;
import dev.ocellus.vlm.embedding.Embedder;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of a vision-language model that gives vectors, Qwen3-VL-Embedding. */
final class EmbedderMixin {
  @Option(
      names = {"-mm", "--mmproj"},
      paramLabel = "FILE",
      description = "For Qwen3-VL-Embedding: its image encoder (GGUF).")
  @Nullable Path mmproj;

  @Option(
      names = "--dimension",
      paramLabel = "N",
      description =
          "For Qwen3-VL-Embedding: only the first N numbers of each vector, which were trained to"
              + " do alone. Default: 0, all.")
  @Range(min = 0)
  int dimension;

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      description =
          "For Qwen3-VL-Embedding: context size in tokens; longer texts are cut; 0 for what the model was"
              + " trained with. Default: 4096.")
  @Range(min = 0, max = ContextOptions.MAX_CONTEXT)
  @Nullable Integer context;

  /** Whether a model is one of these, or the folder of its checkpoint. */
  boolean takes(DualMixin model) throws IOException {
    Path path = model.model;
    if (path == null) {
      return false;
    }
    if (Checkpoints.isOne(path)) {
      return Converter.mayEmbed(path);
    }
    return mmproj != null || (Files.isRegularFile(path) && VisionLanguageEmbedder.isOne(path));
  }

  /** Refuses these options for a dual encoder. */
  void requireNone(OcellusCommand command) {
    if (mmproj != null || dimension != 0 || context != null) {
      throw notFor(command, "--mmproj, --dimension and -c");
    }
  }

  /** Options that a dual encoder has not. */
  static ParameterException notFor(OcellusCommand command, String options) {
    return command.usage(options + " are for Qwen3-VL-Embedding; this model is a dual encoder");
  }

  /** Opens a model that {@link #takes}; a checkpoint is converted once. */
  VisionLanguageEmbedder open(OcellusCommand command, DualMixin model) throws IOException {
    return open(command, files(command, model), dimension);
  }

  /**
   * Opens the model of an index, of whichever kind it is.
   *
   * @param info of the index that there is; with its model, vectors are as long as those in it
   */
  Embedder open(OcellusCommand command, DualMixin model, @Nullable IndexInfo info)
      throws IOException {
    if (!takes(model)) {
      requireNone(command);
      return model.open(command);
    }
    LoadOptions options = files(command, model);
    if (options.mmproj() == null) {
      throw command.usage(
          "%s embeds images only with its image encoder: --mmproj".formatted(options.model()));
    }
    boolean asInIndex =
        dimension == 0
            && info != null
            && info.identity().equals(VisionLanguageEmbedder.identity(options));
    return open(command, options, info != null && asInIndex ? info.dimension() : dimension);
  }

  private static VisionLanguageEmbedder open(
      OcellusCommand command, LoadOptions options, int dimension) throws IOException {
    try (Progress progress = command.progress()) {
      progress.start("loading " + command.nameOf(options.model()));
      return VisionLanguageEmbedder.open(options, dimension);
    }
  }

  private LoadOptions files(OcellusCommand command, DualMixin model) throws IOException {
    if (model.modelType != null) {
      throw command.usage("--model-type is for dual encoders; this is a vision-language model");
    }
    Path path = model.model == null ? Path.of("") : model.model;
    CheckpointCache.Converted pair = Checkpoints.resolve(command, path, mmproj);
    int n = model.compute.nThreads();
    ContextOptions usual =
        ContextOptions.defaults()
            .withThreads(n, n)
            .withCache(TensorType.F32, TensorType.F32) // read once: exact costs little
            .withFlashAttention(ContextOptions.FlashAttention.OFF);
    Integer size = context;
    ContextOptions how = size == null ? usual : usual.withContext(size);
    ModelOptions models = ModelOptions.defaults();
    Path projector = pair.mmproj();
    LoadOptions files =
        projector == null ? LoadOptions.of(pair.text()) : LoadOptions.of(pair.text(), projector);
    return files
        .withContextOptions(how)
        .withModelOptions(model.compute.gpu() ? models : models.withGpuLayers(0))
        .withVisionPrecision(model.compute.precision());
  }
}
