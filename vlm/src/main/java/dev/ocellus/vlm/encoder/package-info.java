/**
 * The image encoder: from preprocessed images to image embeddings, tiles of equal shape together.
 * {@link dev.ocellus.vlm.encoder.VisionEncoder} is the door.
 *
 * <p>It runs graphs of {@code model} on the engine of {@code graph} and knows neither prompts nor
 * text models.
 */
package dev.ocellus.vlm.encoder;
