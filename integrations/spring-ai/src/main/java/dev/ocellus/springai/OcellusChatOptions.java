package dev.ocellus.springai;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;

/**
 * Options of a prompt: those that Spring AI's chat models have in common, and a few that only
 * Ocellus has. What is null comes from the model's options, then from the model itself.
 */
public final class OcellusChatOptions extends DefaultToolCallingChatOptions
    implements StructuredOutputChatOptions {
  private final @Nullable String outputSchema;
  private final @Nullable String grammar;
  private final @Nullable Long seed;
  private final @Nullable Double minP;
  private final @Nullable Double repeatPenalty;
  private final @Nullable Boolean thinking;
  private final @Nullable String toolChoice;

  private OcellusChatOptions(ToolCallingChatOptions common, Builder builder) {
    super(
        common.getToolCallbacks(),
        common.getToolContext(),
        common.getModel(),
        common.getFrequencyPenalty(),
        common.getMaxTokens(),
        common.getPresencePenalty(),
        common.getStopSequences(),
        common.getTemperature(),
        common.getTopK(),
        common.getTopP());
    this.outputSchema = builder.outputSchema;
    this.grammar = builder.grammar;
    this.seed = builder.seed;
    this.minP = builder.minP;
    this.repeatPenalty = builder.repeatPenalty;
    this.thinking = builder.thinking;
    this.toolChoice = builder.toolChoice;
  }

  /** A JSON schema that the answer keeps to. */
  @Override
  public @Nullable String getOutputSchema() {
    return outputSchema;
  }

  /** A grammar in GBNF that the answer keeps to. */
  public @Nullable String getGrammar() {
    return grammar;
  }

  /** Of the random numbers; the same gives the same answer. */
  public @Nullable Long getSeed() {
    return seed;
  }

  /** The least probability of a token, as a share of the likeliest one's. */
  public @Nullable Double getMinP() {
    return minP;
  }

  /** What tokens of the last text lose, 1 for nothing. */
  public @Nullable Double getRepeatPenalty() {
    return repeatPenalty;
  }

  /** Whether the model thinks aloud, for templates that know it. */
  public @Nullable Boolean getThinking() {
    return thinking;
  }

  /** {@code auto}, {@code required}, {@code none}, or the name of the tool to call. */
  public @Nullable String getToolChoice() {
    return toolChoice;
  }

  @Override
  public Builder mutate() {
    return builder().all(this).ours(this);
  }

  /** Options that say nothing yet. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Options of a prompt, of whatever kind, with the rest from these.
   *
   * @param asked null for none
   */
  OcellusChatOptions with(@Nullable ChatOptions asked) {
    if (asked == null) {
      return this;
    }
    Builder builder = mutate().all(asked);
    if (asked instanceof OcellusChatOptions same) {
      return builder.ours(same).build();
    }
    return asked instanceof StructuredOutputChatOptions structured
            && structured.getOutputSchema() != null
        ? builder.outputSchema(structured.getOutputSchema()).build()
        : builder.build();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof OcellusChatOptions that
        && Objects.equals(ours(), that.ours());
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), ours());
  }

  private List<@Nullable Object> ours() {
    return Arrays.asList(outputSchema, grammar, seed, minP, repeatPenalty, thinking, toolChoice);
  }

  /** Makes options. */
  public static final class Builder extends DefaultToolCallingChatOptions.Builder<Builder>
      implements StructuredOutputChatOptions.Builder<Builder> {
    private @Nullable String outputSchema;
    private @Nullable String grammar;
    private @Nullable Long seed;
    private @Nullable Double minP;
    private @Nullable Double repeatPenalty;
    private @Nullable Boolean thinking;
    private @Nullable String toolChoice;

    private Builder() {}

    /** As of {@link OcellusChatOptions#getOutputSchema}. */
    @Override
    public Builder outputSchema(@Nullable String value) {
      outputSchema = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getGrammar}. */
    public Builder grammar(@Nullable String value) {
      grammar = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getSeed}. */
    public Builder seed(@Nullable Long value) {
      seed = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getMinP}. */
    public Builder minP(@Nullable Double value) {
      minP = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getRepeatPenalty}. */
    public Builder repeatPenalty(@Nullable Double value) {
      repeatPenalty = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getThinking}. */
    public Builder thinking(@Nullable Boolean value) {
      thinking = value;
      return this;
    }

    /** As of {@link OcellusChatOptions#getToolChoice}. */
    public Builder toolChoice(@Nullable String value) {
      toolChoice = value;
      return this;
    }

    /** Takes over what other options say of what all chat models have. */
    private Builder all(ChatOptions other) {
      model(or(other.getModel(), model));
      frequencyPenalty(or(other.getFrequencyPenalty(), frequencyPenalty));
      maxTokens(or(other.getMaxTokens(), maxTokens));
      presencePenalty(or(other.getPresencePenalty(), presencePenalty));
      stopSequences(or(other.getStopSequences(), stopSequences));
      temperature(or(other.getTemperature(), temperature));
      topK(or(other.getTopK(), topK));
      topP(or(other.getTopP(), topP));
      if (other instanceof ToolCallingChatOptions calling) {
        toolCallbacks(
            ToolCallingChatOptions.mergeToolCallbacks(calling.getToolCallbacks(), toolCallbacks));
        if (calling.getToolContext() != null) {
          toolContext(calling.getToolContext());
        }
      }
      return this;
    }

    private Builder ours(OcellusChatOptions other) {
      outputSchema = or(other.outputSchema, outputSchema);
      grammar = or(other.grammar, grammar);
      seed = or(other.seed, seed);
      minP = or(other.minP, minP);
      repeatPenalty = or(other.repeatPenalty, repeatPenalty);
      thinking = or(other.thinking, thinking);
      toolChoice = or(other.toolChoice, toolChoice);
      return this;
    }

    private static <T> @Nullable T or(@Nullable T value, @Nullable T otherwise) {
      return value != null ? value : otherwise;
    }

    /**
     * What is not null of another builder counts; its stop sequences and tools come in addition.
     */
    @Override
    public Builder combineWith(ChatOptions.Builder<?> other) {
      super.combineWith(other);
      return other instanceof Builder same ? ours(same.build()) : this;
    }

    @Override
    public OcellusChatOptions build() {
      return new OcellusChatOptions(super.build(), this);
    }
  }
}
