/** Tokenizers of checkpoints, in the metadata that llama.cpp reads. */
package dev.ocellus.convert.tokenizer;
