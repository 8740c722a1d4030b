package dev.ocellus.vlm;

import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.List;

/**
 * How an answer is generated.
 *
 * @param maxTokens most tokens of the answer; -1 for as many as the context holds
 * @param sampling how tokens are chosen
 * @param stop strings at which the answer ends; they are not part of it
 * @param ignoreEos whether to go on after tokens that end an answer, for measuring. The tokens are
 *     generated like any others (llama.cpp forbids them instead).
 */
public record GenerationOptions(
    int maxTokens, SamplingOptions sampling, List<String> stop, boolean ignoreEos) {
  public GenerationOptions {
    if (maxTokens < -1) {
      throw new IllegalArgumentException(
          "max tokens (-n): expected -1 (no limit) or more, found " + maxTokens);
    }
    stop = List.copyOf(stop);
  }

  /** No limit, llama.cpp's usual sampling, no stop strings. */
  public static GenerationOptions defaults() {
    return new GenerationOptions(-1, SamplingOptions.defaults(), List.of(), false);
  }

  /** No limit, always the likeliest token. */
  public static GenerationOptions greedy() {
    return defaults().withSampling(SamplingOptions.greedy());
  }

  public GenerationOptions withMaxTokens(int maxTokens) {
    return new GenerationOptions(maxTokens, sampling, stop, ignoreEos);
  }

  public GenerationOptions withSampling(SamplingOptions sampling) {
    return new GenerationOptions(maxTokens, sampling, stop, ignoreEos);
  }

  public GenerationOptions withStop(List<String> stop) {
    return new GenerationOptions(maxTokens, sampling, stop, ignoreEos);
  }

  public GenerationOptions withIgnoreEos(boolean ignoreEos) {
    return new GenerationOptions(maxTokens, sampling, stop, ignoreEos);
  }
}
