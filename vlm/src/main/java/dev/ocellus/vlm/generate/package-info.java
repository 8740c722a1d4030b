/**
 * From a conversation to its answer: images are resolved and encoded, the prompt is decoded, tokens
 * are sampled under constraints and split into text, reasoning and calls. {@link
 * dev.ocellus.vlm.generate.Pipeline} holds the parts of one model, and every way from a prompt to
 * logits goes through {@link dev.ocellus.vlm.generate.PromptDecoder}.
 *
 * <p>It uses {@code prompt}, {@code encoder}, {@code decode}, {@code sampling}, {@code grammar} and
 * {@code tool}; none of them uses it.
 */
package dev.ocellus.vlm.generate;
