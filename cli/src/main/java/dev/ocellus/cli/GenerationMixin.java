package dev.ocellus.cli;

import dev.ocellus.vlm.GenerationOptions;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How long an answer goes on, and how it is chosen. */
final class GenerationMixin {
  @Option(
      names = {"-n", "--predict", "--n-predict"},
      paramLabel = "N",
      description = "Most tokens of an answer; -1 for no limit but the context. Default: -1.")
  int maxTokens = -1;

  @Option(
      names = {"-r", "--stop", "--reverse-prompt"},
      paramLabel = "TEXT",
      description = "Text that ends the answer and is not part of it; repeatable.")
  List<String> stop = new ArrayList<>();

  @Option(
      names = "--ignore-eos",
      description = "Go on when the model ends its answer, for measuring; use it with -n.")
  boolean ignoreEos;

  @Mixin SamplingMixin sampling = new SamplingMixin();

  GenerationOptions options(SamplingOptions defaults) {
    return new GenerationOptions(
        Math.max(-1, maxTokens), sampling.apply(defaults), stop, ignoreEos);
  }
}
