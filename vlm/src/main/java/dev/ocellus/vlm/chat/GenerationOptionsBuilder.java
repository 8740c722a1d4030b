package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.NgramGuard;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes {@link GenerationOptions}; begins with those that it was made from. */
public final class GenerationOptionsBuilder {
  private int maxTokens;
  private SamplingOptions sampling;
  private List<String> stop;
  private boolean ignoreEos;
  private PromptOptions prompt;
  private OutputConstraint constraint;
  private int logProbs;
  private @Nullable BeamOptions beams;
  private @Nullable NgramGuard ngramGuard;

  GenerationOptionsBuilder(GenerationOptions options) {
    this.maxTokens = options.maxTokens();
    this.sampling = options.sampling();
    this.stop = options.stop();
    this.ignoreEos = options.ignoreEos();
    this.prompt = options.prompt();
    this.constraint = options.constraint();
    this.logProbs = options.logProbs();
    this.beams = options.beams();
    this.ngramGuard = options.ngramGuard();
  }

  /** Max. number of tokens of the answer; -1 for as many as the context holds. */
  public GenerationOptionsBuilder maxTokens(int value) {
    this.maxTokens = value;
    return this;
  }

  /** How tokens are chosen. */
  public GenerationOptionsBuilder sampling(SamplingOptions value) {
    this.sampling = value;
    return this;
  }

  /** Strings at which the answer ends; they are not part of it. */
  public GenerationOptionsBuilder stop(List<String> value) {
    this.stop = value;
    return this;
  }

  /** Whether to go on after tokens that end an answer, for measuring. */
  public GenerationOptionsBuilder ignoreEos(boolean value) {
    this.ignoreEos = value;
    return this;
  }

  /** What the conversation is rendered with: tools, variables of the template. */
  public GenerationOptionsBuilder prompt(PromptOptions value) {
    this.prompt = value;
    return this;
  }

  /** What the answer is constrained to: a grammar or a schema. */
  public GenerationOptionsBuilder constraint(OutputConstraint value) {
    this.constraint = value;
    return this;
  }

  /**
   * For each token, how many of the likeliest to tell the log probabilities of; 0 for that of the
   * token alone, -1 for none.
   */
  public GenerationOptionsBuilder logProbs(int value) {
    this.logProbs = value;
    return this;
  }

  /** How the likeliest answer is searched for, instead of sampling tokens; null to sample. */
  public GenerationOptionsBuilder beams(@Nullable BeamOptions value) {
    this.beams = value;
    return this;
  }

  /** What keeps the answer from repeating itself for ever; null for nothing. */
  public GenerationOptionsBuilder ngramGuard(@Nullable NgramGuard value) {
    this.ngramGuard = value;
    return this;
  }

  /**
   * The options.
   *
   * @throws IllegalArgumentException for values that are out of range or do not go together
   */
  public GenerationOptions build() {
    return new GenerationOptions(
        maxTokens, sampling, stop, ignoreEos, prompt, constraint, logProbs, beams, ngramGuard);
  }
}
