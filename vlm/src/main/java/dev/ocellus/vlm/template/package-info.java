/**
 * Chat templates: an engine for the Jinja in which models ship their prompt format, with the
 * semantics that HuggingFace transformers gives it, rendering to spans that tell what the template
 * wrote from what came from input.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.template.ChatTemplate} is the door; {@code Lexer} makes
 * tokens, {@code Parser} and {@code ExpressionParser} make the tree, whose nodes evaluate
 * themselves; {@code Evaluation} holds the state and the limits of one rendering.
 */
package dev.ocellus.vlm.template;
