package dev.ocellus.vlm.codes;

import dev.ocellus.ggml.Tensor;
import java.util.function.UnaryOperator;

/**
 * A generator, which makes images of noise, or a critic, which gives a number for an image.
 *
 * @param generates whether it is a generator
 * @param latent numbers of noise for an image; 0 for a critic
 * @param channels 3, or 1 for images in gray
 * @param images size and range of the pixels
 * @param forward from noise [1, 1, latent, batch] to pixels [width, height, channels, batch], or
 *     from pixels to [1, 1, 1, batch]
 */
public record GanArchitecture(
    boolean generates,
    int latent,
    int channels,
    PixelRange images,
    UnaryOperator<Tensor> forward) {}
