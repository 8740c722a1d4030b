package dev.ocellus.accel;

/**
 * What is computed of feature maps [width, height, channels, batch]: floats without gaps, width
 * innermost, given by their addresses.
 */
public sealed interface MapOperation
    permits Convolution, NormedConvolution, ResidualBlock, ChannelPass, Doubling, Sum {}
