package dev.ocellus.cli.options;

import dev.ocellus.compute.Accelerator;
import picocli.CommandLine.Option;

/** Which library multiplies large matrices. */
final class AcceleratorMixin {
  @Option(
      names = "--accel",
      paramLabel = "auto|off|openblas|onednn",
      converter = AcceleratorConverter.class,
      description =
          "Library that multiplies large matrices of F32, F16 and BF16 on a CPU; off leaves them to"
              + " ggml. Default: what OCELLUS_ACCEL names, else whatever suits the processor.")
  Accelerator accelerator = Accelerator.AUTO;

  Accelerator accelerator() {
    return accelerator;
  }
}
