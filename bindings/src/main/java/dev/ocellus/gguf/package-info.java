/** GGUF files in pure Java: reading, checking, writing. */
package dev.ocellus.gguf;
