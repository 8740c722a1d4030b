package dev.ocellus.accel;

/**
 * A convolution of 3 by 3 over normalized maps, which are made in strips of rows and never held as
 * a whole. A strip is computed from two rows more than it has, and the moments of the norm from all
 * rows before, so the result is that of the norm and the convolution one after the other.
 *
 * @param norm of the maps; its target is not used
 * @param convolution that {@link Convolution.Window#keepsSize keeps the size}; its source is not
 *     used, and its result lies apart from the maps
 */
public record NormedConvolution(ChannelPass norm, Convolution convolution)
    implements MapOperation {}
