package dev.ocellus.vlm.generation;

import dev.ocellus.vlm.image.RgbImage;

/**
 * What a model made.
 *
 * @param values as the model gives them, [3, height, width], usually from -1 to 1 and somewhat
 *     beyond
 * @param image the same as bytes
 */
public record DecodedImage(float[] values, RgbImage image) {}
