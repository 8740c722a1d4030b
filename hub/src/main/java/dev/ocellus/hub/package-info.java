/**
 * Models by name instead of by path.
 *
 * <p>{@link dev.ocellus.hub.ModelHub} takes a {@link dev.ocellus.hub.ModelName}, fetches what is
 * missing, and gives the files. Files lie where other programs look for them: those of a
 * HuggingFace repository in huggingface_hub's cache, those of Ollama in its store. Whatever was
 * fetched is checked against the hash that the server named for it before it gets its name.
 */
@NullMarked
package dev.ocellus.hub;

import org.jspecify.annotations.NullMarked;
