/**
 * Grammars of answers that may call tools.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.tool.grammar.ToolGrammar} is the door. {@code FreeText}
 * is text in which markers may come, {@code CallBlocks} what stands between the markers of calls,
 * {@code ToolSchema} and {@code CallArguments} the arguments.
 */
package dev.ocellus.vlm.tool.grammar;
