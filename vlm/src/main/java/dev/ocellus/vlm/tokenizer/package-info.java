/**
 * Tokenizers of text towers that libllama does not know, each from the data that a GGUF file holds
 * under {@code tokenizer.ggml.}. What is added at the ends of a text, and where it is cut, is the
 * model's to say.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.tokenizer;
