/**
 * Text models as sessions see them: {@link dev.ocellus.vlm.decode.TextDecoder} with its KV
 * sequences, by libllama or by a graph of our own; batches of several sessions, reuse of prompt
 * prefixes, and draft tokens for speculative decoding.
 *
 * <p>What is decoded arrives as tokens and encoded images; templates, sampling and answers are the
 * business of {@code generate}.
 */
package dev.ocellus.vlm.decode;
