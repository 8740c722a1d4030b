package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.sampling.BeamOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How long an answer goes on, and how it is chosen. */
final class GenerationMixin {
  @Option(
      names = {"-n", "--predict", "--n-predict"},
      paramLabel = "N",
      description = "Max. tokens of an answer; -1 for no limit but the context. Default: -1.")
  @Range(min = -1)
  @Nullable Integer maxTokens;

  @Option(
      names = {"-r", "--stop", "--reverse-prompt"},
      paramLabel = "TEXT",
      description = "Text that ends the answer and is not part of it; repeatable.")
  @Nullable List<String> stop;

  @Option(
      names = "--ignore-eos",
      description = "Continue when the model ends its answer, for benchmarks; use it with -n.")
  boolean ignoreEos;

  @Mixin SamplingMixin sampling = new SamplingMixin();
  @Mixin BeamMixin beams = new BeamMixin();
  @Mixin AnswerMixin answer = new AnswerMixin();

  /** The options on top of others. */
  GenerationOptions apply(GenerationOptions base) {
    GenerationOptions options =
        base.withMaxTokens(maxTokens == null ? base.maxTokens() : maxTokens)
            .withSampling(sampling.apply(base.sampling()))
            .withStop(stop == null ? base.stop() : stop);
    BeamOptions search = beams(options);
    options = answer.apply(options.withBeams((BeamOptions) null));
    return options.withIgnoreEos(ignoreEos || base.ignoreEos()).withBeams(search);
  }

  /** Who says how tokens are sampled wants no search that only the model's checkpoint asks for. */
  private @Nullable BeamOptions beams(GenerationOptions base) {
    boolean samples = sampling.given();
    boolean searches = beams.beams != null && beams.beams > 0;
    if (searches && sampling.isRandom()) {
      throw new IllegalArgumentException(
          "--beams finds the likeliest answer and samples no tokens; leave out --temp and what else says how to sample, or --beams");
    }
    return beams.apply(samples && !beams.given() ? null : base.beams());
  }

  /** For a single answer: the seed is drawn, so that it can be told. */
  GenerationOptions applyOnce(GenerationOptions base) {
    GenerationOptions options = apply(base);
    return options.withSampling(SamplingMixin.withDrawnSeed(options.sampling()));
  }
}
