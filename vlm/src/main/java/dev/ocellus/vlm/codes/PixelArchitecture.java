package dev.ocellus.vlm.codes;

import dev.ocellus.vlm.image.ImageSize;

/**
 * An autoregressive model of the colours of pixels, such as ImageGPT.
 *
 * @param name of the family
 * @param size of its images
 * @param images how an image becomes numbers
 * @param colours three numbers for each colour that it knows, as the normalized pixels are
 * @param prior what predicts colours
 */
public record PixelArchitecture(
    String name, ImageSize size, PixelRange images, float[] colours, PriorGraph prior) {}
