package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.sampling.TopLogProbs;

/**
 * Told the progress of an answer, on the thread that generates it. An exception that it throws
 * stops the answer and reaches the caller.
 */
public interface AnswerListener {
  /** Does nothing. */
  AnswerListener NONE = text -> {};

  /**
   * More text of the answer that is for the reader: whole characters only, and never a part of a
   * stop string, of reasoning or of a call.
   */
  void onText(String text);

  /** More of the reasoning of the model. */
  default void onReasoning(String text) {}

  /**
   * A token's log probabilities, where they were asked for; called before the text of the token.
   */
  default void onLogProbs(TopLogProbs logProbs) {}

  /** A call that the model asks for, complete. */
  default void onToolCall(ToolCall call) {}

  /**
   * An image of the conversation, before the prompt is computed; called for each in their order.
   *
   * @param index of the image among those of the conversation, from 0
   */
  default void onImage(int index, ImageReport report) {}

  /** A share of the prompt has been computed, 0 to 1. */
  default void onPrefill(double share) {}

  /**
   * The prompt has been computed, and the answer begins.
   *
   * @param usage of the prompt; nothing is counted of the answer yet
   */
  default void onPrompt(Usage usage) {}
}
