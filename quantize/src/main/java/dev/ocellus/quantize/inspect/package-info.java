/** What is in a GGUF file, for people and for machines. */
package dev.ocellus.quantize.inspect;
