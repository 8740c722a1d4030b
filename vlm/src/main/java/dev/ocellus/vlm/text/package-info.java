/**
 * Text that arrives in pieces: UTF-8 split between tokens, and stop strings split between chunks.
 */
package dev.ocellus.vlm.text;
