package dev.ocellus.accel;

/**
 * Two convolutions of 3 by 3, each over normalized maps, and what is added to them, in strips of
 * rows: what stands between the two is never held as a whole. For that the first is computed twice,
 * once for the moments of the second norm and once for the result, so this is for maps that memory
 * has no room for otherwise.
 *
 * @param norm1 of the maps; its target is not used
 * @param conv1 {@link Convolution.Window#keepsSize}; only its kernel, bias and sizes are used
 * @param norm2 of what it gives; source and target are not used
 * @param conv2 the second, whose result may take the place of what is added, and of the maps if
 *     they are that
 */
public record ResidualBlock(
    ChannelPass norm1, Convolution conv1, ChannelPass norm2, Convolution conv2)
    implements MapOperation {}
