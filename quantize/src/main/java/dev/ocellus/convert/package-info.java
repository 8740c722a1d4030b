/** Converts checkpoints in HuggingFace's layout to GGUF files. */
package dev.ocellus.convert;
