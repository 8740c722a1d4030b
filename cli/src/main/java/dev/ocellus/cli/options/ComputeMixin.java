package dev.ocellus.cli.options;

import dev.ocellus.cli.command.Range;
import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.llama.ContextOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model of one file computes. */
public final class ComputeMixin {
  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: the physical cores; 1 for an embedded model.")
  @Range(min = 1, max = Range.MAX_THREADS)
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

  @Mixin AcceleratorMixin acceleration = new AcceleratorMixin();

  /** Whether a GPU is used where there is one. */
  public boolean gpu() {
    return !cpu;
  }

  public MatrixPrecision precision() {
    return precision;
  }

  public Accelerator accelerator() {
    return acceleration.accelerator();
  }

  /** As many threads as were asked for, or one: those of a tiny model would wait for each other. */
  public int nThreadsOfDemo() {
    return threads == null ? 1 : threads;
  }

  /** As many threads as were asked for, or as suit the machine. */
  public int nThreads() {
    return threads == null ? ContextOptions.defaults().nThreads() : threads;
  }
}
