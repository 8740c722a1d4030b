package dev.ocellus.vlm.chat;

/**
 * A call that a model asks for.
 *
 * @param id what the result refers to; empty if the model gave none
 * @param name the tool's
 * @param arguments a JSON object
 */
public record ToolCall(String id, String name, String arguments) {
  /** The same with an id. */
  public ToolCall withId(String id) {
    return new ToolCall(id, name, arguments);
  }
}
