package dev.ocellus.cli.search;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.options.ComputeMixin;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.convert.Converter;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which dual encoder, and how it computes. */
final class DualMixin {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|DIR|NAME",
      converter = ModelPathConverter.class,
      description =
          "Dual encoder such as CLIP: a GGUF file, the folder of a checkpoint, or a name such as"
              + " hf://REPO. Without it, a tiny embedded one that knows only drawn shapes.")
  @Nullable Path model;

  @Option(
      names = "--model-type",
      paramLabel = "TYPE",
      description =
          "Of a model that is several, which one: internvl_c or internvl_g of InternVL 1.0."
              + " Default: the one that the file names; of a folder internvl_c.")
  @Nullable String modelType;

  @Mixin HubMixin named = new HubMixin();

  @Mixin ComputeMixin compute = new ComputeMixin();

  /** Opens the model; a checkpoint is converted once. */
  DualEncoder open(OcellusCommand command) throws IOException {
    int n = model == null ? compute.nThreadsOfDemo() : compute.nThreads();
    EmbeddingOptions options =
        new EmbeddingOptions(
            n, compute.gpu(), compute.precision(), compute.accelerator(), modelType);
    Path file = file(command);
    try (Progress progress = command.progress()) {
      progress.start("loading " + command.nameOf(file));
      return DualEncoder.open(file, options);
    }
  }

  private Path file(OcellusCommand command) throws IOException {
    if (model == null) {
      command.note(
          "no model given (-m): the embedded %s answers; it knows only drawn shapes, numbers and words"
              .formatted(DemoModel.DUAL_ENCODER));
      return DemoModel.dualEncoder();
    }
    if (Checkpoints.isOne(model)) {
      Converter.requireDualEncoder(model);
    }
    return Checkpoints.resolve(command, model, null).text();
  }
}
