package dev.ocellus.vlm.model.tower;

import dev.ocellus.vlm.nn.Activation;

/**
 * Sizes of the layers of a transformer, of images or of texts.
 *
 * @param nEmbd width
 * @param nFf width between the linear layers of a feed-forward block
 * @param nHead attention heads, a divisor of {@code nEmbd}
 * @param nLayer layers
 * @param eps of the norms
 * @param activation of the feed-forward blocks
 */
public record LayerConfig(
    int nEmbd, int nFf, int nHead, int nLayer, float eps, Activation activation) {}
