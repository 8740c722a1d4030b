package dev.ocellus.cli;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.convert.Converter;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which dual encoder, and how it computes. */
final class DualMixin {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|DIR",
      description =
          "Dual encoder such as CLIP: a GGUF file, or the folder of a checkpoint. Without it, a"
              + " tiny embedded one that knows only drawn shapes.")
  @Nullable Path model;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: the physical cores; 1 for the embedded model.")
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

  /** Opens the model; a checkpoint is converted once. */
  DualEncoder open(OcellusCommand command) throws IOException {
    ContextOptions defaults = ContextOptions.defaults();
    boolean isDemo =
        threads == null && model == null; // for which threads would wait for each other
    Integer given = isDemo ? Integer.valueOf(1) : threads;
    int n =
        command
            .checked(() -> given == null ? defaults : defaults.withThreads(given, given))
            .nThreads();
    EmbeddingOptions options = new EmbeddingOptions(n, !cpu, precision, accelerator);
    Path file = file(command);
    try (Progress progress = command.progress()) {
      progress.start("loading " + file.getFileName());
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
    if (Converter.isCheckpoint(model)) {
      Converter.requireDualEncoder(model);
    }
    return Checkpoints.resolve(command, model, null).text();
  }

  /** Says which texts are longer than the model takes. */
  static void noteCut(OcellusCommand command, DualEncoder encoder, List<String> texts) {
    for (String text : texts) {
      TextTokens tokens = encoder.tokenize(text);
      if (tokens.nDropped() > 0) {
        command.note(
            "the text '%s' is longer than the %d tokens that the model takes; the last %d were left out"
                .formatted(
                    text.length() <= 40 ? text : text.substring(0, 40) + "…",
                    encoder.contextLength(),
                    tokens.nDropped()));
      }
    }
  }
}
