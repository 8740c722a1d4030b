package dev.ocellus.cli.search;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.options.ComputeMixin;
import dev.ocellus.convert.Converter;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model compares images with texts, and how it computes. */
final class ImageTextMixin {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|DIR|NAME",
      converter = ModelPathConverter.class,
      description =
          "Model that matches images and texts, such as BLIP: a GGUF file, the folder of a"
              + " checkpoint, or a name such as hf://REPO.")
  @Nullable Path model;

  @Mixin HubMixin named = new HubMixin();

  @Mixin ComputeMixin compute = new ComputeMixin();

  /** The file; a checkpoint is converted once. */
  Path file(OcellusCommand command) throws IOException {
    if (model == null) {
      throw command.usage("no model given: expected -m or -hf");
    }
    if (Checkpoints.isOne(model)) {
      Converter.requireMatcher(model);
    }
    return Checkpoints.resolve(command, model, null).text();
  }

  ImageTextOptions options() {
    return new ImageTextOptions(
        compute.nThreads(), compute.gpu(), compute.precision(), compute.accelerator());
  }
}
