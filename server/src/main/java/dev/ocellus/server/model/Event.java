package dev.ocellus.server.model;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.sampling.TopLogProbs;

/** What happens while answers are generated. */
public sealed interface Event {
  /** Which of the answers to one request, from 0. */
  int choice();

  /** The model looks at an image. */
  record Image(int choice, int index, ImageReport report) implements Event {}

  /** The prompt has been computed. */
  record Prompt(int choice, Usage usage) implements Event {}

  /** More text for the reader. */
  record Text(int choice, String text) implements Event {}

  /** More of what the model thinks. */
  record Reasoning(int choice, String text) implements Event {}

  /** A call, complete. */
  record Call(int choice, ToolCall call) implements Event {}

  /** Log probabilities of a token, before its text. */
  record LogProbs(int choice, TopLogProbs token) implements Event {}

  /** The answer is complete. */
  record Done(int choice, Answer answer) implements Event {}

  /** There is no answer. */
  record Failed(int choice, Throwable cause) implements Event {}

  /** Whether nothing comes after it for its choice. */
  default boolean isLast() {
    return this instanceof Done || this instanceof Failed;
  }
}
