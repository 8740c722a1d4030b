/** Quantizes GGUF files: recipes, plans, sizes. */
package dev.ocellus.quantize;
