package dev.ocellus.cli.generate;

import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.options.ComputeMixin;
import dev.ocellus.vlm.generation.ComputeOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model makes images, and how it computes. */
final class GeneratorMixin {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|DIR|NAME",
      converter = ModelPathConverter.class,
      description =
          "The model: a GGUF file, the folder of a checkpoint, or a name such as hf://REPO. Without"
              + " it, a tiny embedded one that knows only drawn shapes.")
  @Nullable Path model;

  @Option(
      names = "--max-memory",
      paramLabel = "MIB",
      description =
          "MiB that an image's maps may take in a VQ model: where they would take more, it computes"
              + " some of it twice and holds less, with the same result. Default: what is free.")
  @Range(min = 1)
  @Nullable Integer maxMemory;

  @Mixin HubMixin named = new HubMixin();

  @Mixin ComputeMixin compute = new ComputeMixin();

  ComputeOptions options() {
    int n = model == null ? compute.nThreadsOfDemo() : compute.nThreads();
    return new ComputeOptions(
        n,
        compute.gpu(),
        compute.precision(),
        compute.accelerator(),
        maxMemory == null ? 0 : (long) maxMemory << 20);
  }
}
