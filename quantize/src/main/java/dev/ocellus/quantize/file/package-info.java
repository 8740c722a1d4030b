/** Changes GGUF files without computing: edit, split, merge, compare, hash. */
package dev.ocellus.quantize.file;
