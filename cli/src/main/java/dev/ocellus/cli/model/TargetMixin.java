package dev.ocellus.cli.model;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.QuantizePlan;
import dev.ocellus.quantize.SizePlanner;
import dev.ocellus.quantize.SizeTarget;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A size instead of a recipe. */
final class TargetMixin {
  @Option(
      names = "--target-size",
      paramLabel = "SIZE",
      description =
          "Choose the types so that the file is at most this large (3.2G, 900M, 3GiB) and loses least.")
  @Nullable String targetSize;

  @Option(
      names = "--target-bpw",
      paramLabel = "BITS",
      description = "The same for bits per weight, on average over all tensors.")
  @Range(above = 0, max = 64)
  @Nullable Double targetBits;

  boolean isGiven() {
    return targetSize != null || targetBits != null;
  }

  QuantizePlan plan(
      OcellusCommand command,
      GgufFile file,
      QuantizeOptions options,
      Progress progress,
      CancellationFlag flag)
      throws IOException {
    SizeTarget target = command.checked(this::target);
    QuantizePlan plan =
        SizePlanner.plan(
            file,
            options,
            target,
            (i, n, t) -> progress.report("measuring " + t.name(), (double) i / Math.max(1, n)),
            flag);
    progress.done();
    return plan;
  }

  private SizeTarget target() {
    if (targetSize != null && targetBits != null) {
      throw new IllegalArgumentException("--target-size and --target-bpw exclude each other");
    }
    if (targetBits != null) {
      return new SizeTarget.BitsPerWeight(targetBits);
    }
    return SizeTarget.parse(targetSize == null ? "" : targetSize);
  }
}
