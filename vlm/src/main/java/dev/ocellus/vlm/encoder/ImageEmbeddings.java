package dev.ocellus.vlm.encoder;

/**
 * What the text model sees of an image.
 *
 * @param rows {@code nTokens} rows of {@code width} floats, in the order in which they are decoded
 * @param nTokens number of rows
 * @param width floats of a row
 */
public record ImageEmbeddings(float[] rows, int nTokens, int width) {}
