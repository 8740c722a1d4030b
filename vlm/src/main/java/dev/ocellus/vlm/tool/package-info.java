/**
 * Tools that a model may call, and what an answer consists of: text, reasoning and calls.
 *
 * <p>{@link dev.ocellus.vlm.tool.AnswerFormat} finds out from a chat template how its model writes
 * them, {@link dev.ocellus.vlm.tool.AnswerSplitter} takes an answer apart while it arrives.
 */
package dev.ocellus.vlm.tool;
