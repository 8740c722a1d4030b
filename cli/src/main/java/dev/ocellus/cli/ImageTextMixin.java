package dev.ocellus.cli;

import dev.ocellus.vlm.imagetext.ImageTextOptions;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model compares images with texts, and how it computes. */
final class ImageTextMixin {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|DIR",
      required = true,
      description =
          "Model that matches images and texts, such as BLIP: a GGUF file, or the folder of a"
              + " checkpoint.")
  Path model = Path.of("");

  @Mixin ComputeMixin compute = new ComputeMixin();

  /** The file; a checkpoint is converted once. */
  Path file(OcellusCommand command) throws IOException {
    return Checkpoints.resolve(command, model, null).text();
  }

  ImageTextOptions options(OcellusCommand command) {
    return new ImageTextOptions(
        compute.nThreads(command),
        !compute.cpu,
        compute.precision,
        compute.acceleration.accelerator);
  }
}
