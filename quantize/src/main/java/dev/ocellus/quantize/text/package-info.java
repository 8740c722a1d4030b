/** Texts computed in chunks of tokens, as llama-perplexity and llama-imatrix compute them. */
package dev.ocellus.quantize.text;
