package dev.ocellus.accel;

/**
 * Normalization of groups of channels, scale and shift of each channel, and SiLU, each if it is
 * wanted, in one pass. The result may lie where the source does, or apart from it.
 *
 * @param source address of the maps
 * @param target address of the result
 * @param pixels of a map
 * @param channels of an image
 * @param batch images
 * @param groups that channels are normalized in; 0 for no normalization
 * @param eps that is added to the variance
 * @param scale address of a factor for each channel; 0 for none
 * @param shift address of a number for each channel, which is added; 0 for none
 * @param silu whether {@code x · sigmoid(x)} comes last
 */
public record ChannelPass(
    long source,
    long target,
    long pixels,
    int channels,
    int batch,
    int groups,
    float eps,
    long scale,
    long shift,
    boolean silu)
    implements MapOperation {}
