package dev.ocellus.vlm.chat;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.NgramGuard;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an answer is generated.
 *
 * @param maxTokens most tokens of the answer; -1 for as many as the context holds
 * @param sampling how tokens are chosen
 * @param stop strings at which the answer ends; they are not part of it
 * @param ignoreEos whether to go on after tokens that end an answer, for measuring. The tokens are
 *     generated like any others (llama.cpp forbids them instead).
 * @param prompt what the conversation is rendered with: tools, variables of the template
 * @param constraint what the answer must keep to: a grammar or a schema
 * @param logProbs for each token, how many of the likeliest to tell the log probabilities of; 0 for
 *     that of the token alone, -1 for none
 * @param beams how the likeliest answer is searched for, instead of sampling tokens; null to sample
 * @param ngramGuard what keeps the answer from repeating itself for ever; null for nothing
 */
public record GenerationOptions(
    int maxTokens,
    SamplingOptions sampling,
    List<String> stop,
    boolean ignoreEos,
    PromptOptions prompt,
    OutputConstraint constraint,
    int logProbs,
    @Nullable BeamOptions beams,
    @Nullable NgramGuard ngramGuard) {
  public GenerationOptions {
    if (maxTokens < -1) {
      throw new InvalidSettingException(
          "max tokens: expected -1 (no limit) or more, found " + maxTokens, Setting.MAX_TOKENS);
    }
    if (logProbs < -1) {
      throw new InvalidSettingException(
          "log probabilities: expected -1 (none) or more, found " + logProbs, Setting.LOG_PROBS);
    }
    if (ignoreEos && !(constraint instanceof OutputConstraint.None)) {
      throw new InvalidSettingException(
          "an answer that is constrained to a grammar ends where the grammar does, so the end of generation cannot be ignored",
          Setting.IGNORE_EOS);
    }
    if (prompt.toolChoice().requiresCall()) {
      requireNothingElse(ignoreEos, constraint);
    }
    if (beams != null) {
      requireFreeAnswer(prompt, constraint, logProbs);
    }
    stop = List.copyOf(stop);
  }

  private static void requireNothingElse(boolean ignoreEos, OutputConstraint constraint) {
    if (!(constraint instanceof OutputConstraint.None)) {
      throw new IllegalArgumentException(
          "a required call and a grammar or schema both say what the answer is; use one of them");
    }
    if (ignoreEos) {
      throw new InvalidSettingException(
          "an answer that has to be a call ends with it, so the end of generation cannot be ignored",
          Setting.IGNORE_EOS);
    }
  }

  /** Beams are whole answers, which are chosen among when the search is over. */
  private static void requireFreeAnswer(
      PromptOptions prompt, OutputConstraint constraint, int logProbs) {
    String other =
        !(constraint instanceof OutputConstraint.None)
            ? "a grammar or schema"
            : !prompt.tools().isEmpty() ? "tools" : logProbs >= 0 ? "log probabilities" : "";
    if (!other.isEmpty()) {
      throw new InvalidSettingException(
          "beam search knows no %s; use one of them, or no beams".formatted(other), Setting.BEAMS);
    }
  }

  /** Options without tools, constraint or log probabilities. */
  public GenerationOptions(
      int maxTokens, SamplingOptions sampling, List<String> stop, boolean ignoreEos) {
    this(
        maxTokens,
        sampling,
        stop,
        ignoreEos,
        PromptOptions.defaults(),
        OutputConstraint.NONE,
        -1,
        null,
        null);
  }

  /** No limit, llama.cpp's usual sampling, no stop strings. */
  public static GenerationOptions defaults() {
    return new GenerationOptions(-1, SamplingOptions.defaults(), List.of(), false);
  }

  /** No limit, always the likeliest token. */
  public static GenerationOptions greedy() {
    return defaults().withSampling(SamplingOptions.greedy());
  }

  /** A builder that begins with these options. */
  public GenerationOptionsBuilder toBuilder() {
    return new GenerationOptionsBuilder(this);
  }

  public GenerationOptions withMaxTokens(int maxTokens) {
    return toBuilder().maxTokens(maxTokens).build();
  }

  public GenerationOptions withSampling(SamplingOptions sampling) {
    return toBuilder().sampling(sampling).build();
  }

  public GenerationOptions withStop(List<String> stop) {
    return toBuilder().stop(stop).build();
  }

  public GenerationOptions withIgnoreEos(boolean ignoreEos) {
    return toBuilder().ignoreEos(ignoreEos).build();
  }

  public GenerationOptions withPrompt(PromptOptions prompt) {
    return toBuilder().prompt(prompt).build();
  }

  public GenerationOptions withConstraint(OutputConstraint constraint) {
    return toBuilder().constraint(constraint).build();
  }

  /**
   * An answer in JSON that a schema allows. docs/constraints.md states which part of JSON Schema is
   * supported; a schema that is not, or that allows no value, is refused when a message is sent, by
   * a {@code JsonSchemaException}.
   *
   * <p>The answer is valid also when its tokens run out: strings and lists that are open are then
   * closed, in the middle of what they say. So bound what may go on for ever, strings with {@code
   * maxLength}, arrays with {@code maxItems} and maps with {@code maxProperties}, and leave {@link
   * #maxTokens} room for it: a character takes at most as many tokens as it has bytes.
   *
   * <pre>{@code
   * options.withJsonSchema("{\"type\": \"object\", \"properties\": {"
   *     + "\"animal\": {\"type\": \"string\", \"maxLength\": 20}}, \"required\": [\"animal\"]}")
   * }</pre>
   *
   * @param schema JSON; also in the object that OpenAI's API has around it
   */
  public GenerationOptions withJsonSchema(String schema) {
    return withConstraint(new OutputConstraint.JsonSchema(schema));
  }

  /**
   * An answer that matches a grammar in GBNF, as a whole. One that is not valid is refused when a
   * message is sent, by a {@code GrammarException} with line and column.
   *
   * <p>The answer matches also when its tokens run out, and then ends as soon as it can. So bound
   * what may go on for ever, such as {@code [a-z ]{1,40}} instead of {@code [a-z ]+}.
   */
  public GenerationOptions withGrammar(String gbnf) {
    return withConstraint(new OutputConstraint.Gbnf(gbnf));
  }

  /**
   * Beam search, which follows several answers at once and gives the likeliest, instead of
   * sampling. A listener gets it as a whole; stop strings cut it when it is found.
   */
  public GenerationOptions withBeams(int numBeams) {
    return withBeams(BeamOptions.of(numBeams));
  }

  /** As {@link #withBeams(int)}; null to sample tokens. */
  public GenerationOptions withBeams(@Nullable BeamOptions beams) {
    return toBuilder().beams(beams).build();
  }

  /** With a guard against endless repetition; null for none. Beams have options of their own. */
  public GenerationOptions withNgramGuard(@Nullable NgramGuard guard) {
    return toBuilder().ngramGuard(guard).build();
  }

  public GenerationOptions withLogProbs(int logProbs) {
    return toBuilder().logProbs(logProbs).build();
  }
}
