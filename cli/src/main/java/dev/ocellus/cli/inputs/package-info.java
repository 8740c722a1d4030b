/**
 * Commands that show what a model is given: {@code template} the prompt, {@code tokenize} the
 * tokens, {@code encode} the image embeddings.
 */
@NullMarked
package dev.ocellus.cli.inputs;

import org.jspecify.annotations.NullMarked;
