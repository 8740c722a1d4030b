package dev.ocellus.vlm.tool;

import dev.ocellus.vlm.chat.ToolCall;

/** A part of an answer, as it becomes known. */
public sealed interface AnswerPart {
  /** More text for the reader. */
  record Text(String text) implements AnswerPart {}

  /** More of the reasoning of the model. */
  record Reasoning(String text) implements AnswerPart {}

  /** A whole call. */
  record Call(ToolCall call) implements AnswerPart {}
}
