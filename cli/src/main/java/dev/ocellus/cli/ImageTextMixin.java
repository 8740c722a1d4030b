package dev.ocellus.cli;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
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

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: the physical cores.")
  @Nullable Integer threads;

  @Option(names = "--cpu", description = "Compute on the CPU, also where there is a GPU.")
  boolean cpu;

  @Option(
      names = "--precision",
      paramLabel = "exact|stored|bf16|q8_0|fast",
      converter = MatrixPrecisionConverter.class,
      description =
          "How weights are multiplied with on a CPU: in F32 (exact), in the type that they are"
              + " stored in (stored), in BF16 or Q8_0, or in whichever of these two suits the"
              + " processor (fast). Default: exact.")
  MatrixPrecision precision = MatrixPrecision.EXACT;

  @Option(
      names = "--accel",
      paramLabel = "auto|off|openblas|onednn",
      converter = AcceleratorConverter.class,
      description =
          "Library that multiplies large matrices of F32, F16 and BF16 on a CPU; off leaves them to"
              + " ggml. Default: what OCELLUS_ACCEL names, else whatever suits the processor.")
  Accelerator accelerator = Accelerator.AUTO;

  /** The file; a checkpoint is converted once. */
  Path file(OcellusCommand command) throws IOException {
    return Checkpoints.resolve(command, model, null).text();
  }

  ImageTextOptions options(OcellusCommand command) {
    ContextOptions defaults = ContextOptions.defaults();
    int n =
        command
            .checked(() -> threads == null ? defaults : defaults.withThreads(threads, threads))
            .nThreads();
    return new ImageTextOptions(n, !cpu, precision, accelerator);
  }
}
