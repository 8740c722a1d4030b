package dev.ocellus.vlm.chat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes {@link PromptOptions}; begins with those that it was made from. */
public final class PromptOptionsBuilder {
  private List<Tool> tools;
  private Map<String, @Nullable Object> templateArguments;
  private boolean continueLast;
  private ToolChoice toolChoice;
  private boolean constrainedCalls;
  private Set<String> controlTokens;
  private boolean plain;

  PromptOptionsBuilder(PromptOptions options) {
    this.tools = options.tools();
    this.templateArguments = options.templateArguments();
    this.continueLast = options.continueLast();
    this.toolChoice = options.toolChoice();
    this.constrainedCalls = options.constrainedCalls();
    this.controlTokens = options.controlTokens();
    this.plain = options.plain();
  }

  /** Tools that the model may call. */
  public PromptOptionsBuilder tools(List<Tool> value) {
    this.tools = value;
    return this;
  }

  /** Variables for the chat template. */
  public PromptOptionsBuilder templateArguments(Map<String, @Nullable Object> value) {
    this.templateArguments = value;
    return this;
  }

  /** Whether an assistant's message at the end is continued. */
  public PromptOptionsBuilder continueLast(boolean value) {
    this.continueLast = value;
    return this;
  }

  /** Whether the answer calls tools. */
  public PromptOptionsBuilder toolChoice(ToolChoice value) {
    this.toolChoice = value;
    return this;
  }

  /** Whether calls are constrained to the offered tools and their schemas. */
  public PromptOptionsBuilder constrainedCalls(boolean value) {
    this.constrainedCalls = value;
    return this;
  }

  /** Texts that count as control tokens in messages, too. */
  public PromptOptionsBuilder controlTokens(Set<String> value) {
    this.controlTokens = value;
    return this;
  }

  /** Whether there is no chat template, and the prompt is what the messages say. */
  public PromptOptionsBuilder plain(boolean value) {
    this.plain = value;
    return this;
  }

  /**
   * The options.
   *
   * @throws IllegalArgumentException for values that are out of range or do not go together
   */
  public PromptOptions build() {
    return new PromptOptions(
        tools, templateArguments, continueLast, toolChoice, constrainedCalls, controlTokens, plain);
  }
}
