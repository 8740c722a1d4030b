/**
 * Chat templates: an engine for the Jinja in which models ship their prompt format, with the
 * semantics that HuggingFace transformers gives it, rendering to spans that tell what the template
 * wrote from what came from input.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.template.ChatTemplate} is the door; {@code syntax} has
 * lexer, parsers and the tree, whose nodes evaluate themselves; {@code runtime} the values of
 * Python, its operators, and the state and limits of one rendering; {@code builtin} the filters,
 * tests and methods; {@code text} the strings that know who wrote them. {@code builtin} and {@code
 * syntax} do not know each other.
 */
package dev.ocellus.vlm.template;
