package dev.ocellus.vlm.chat;

/** Whether an answer calls the tools that are offered; OpenAI's {@code tool_choice}. */
public sealed interface ToolChoice {
  /** As the model wants. */
  ToolChoice AUTO = new Auto();

  /** At least one call, and nothing else but reasoning before it. */
  ToolChoice REQUIRED = new Required();

  /** No call. The tools are shown to the model all the same. */
  ToolChoice NONE = new None();

  /** As the model wants. */
  record Auto() implements ToolChoice {}

  /** At least one call. */
  record Required() implements ToolChoice {}

  /** No call. */
  record None() implements ToolChoice {}

  /** One call of this tool. */
  record Named(String name) implements ToolChoice {}

  /** One call of a tool. */
  static ToolChoice named(String name) {
    return new Named(name);
  }

  /** {@code auto}, {@code required}, {@code none}, or the name of a tool. */
  static ToolChoice parse(String text) {
    return switch (text) {
      case "auto" -> AUTO;
      case "required" -> REQUIRED;
      case "none" -> NONE;
      default -> new Named(text);
    };
  }

  /** Whether there is a call in any case. */
  default boolean requiresCall() {
    return this instanceof Required || this instanceof Named;
  }
}
