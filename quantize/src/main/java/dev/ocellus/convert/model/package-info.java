/**
 * How each architecture's configuration and tensors become those of llama.cpp. {@link
 * dev.ocellus.convert.model.Converters} lists them by the names of their classes in transformers.
 *
 * <p>A family is one class for its text model ({@code …Text}) and one for its image encoder ({@code
 * …Vision}). Houses with several have a package ({@code qwen}, {@code gemma}, {@code llama}), as
 * have dual encoders ({@code dual}), models that make images ({@code maker}) and models that only
 * write about images ({@code caption}); all others stand here. What they share is in {@code base},
 * which knows none of them.
 */
package dev.ocellus.convert.model;
