package dev.ocellus.vlm.encoder;

/**
 * What the text model gets of an image.
 *
 * @param rows {@code nTokens} embeddings of {@code width} floats, in the order in which they are
 *     decoded
 * @param nTokens how many
 * @param width floats of an embedding
 */
public record ImageEmbeddings(float[] rows, int nTokens, int width) {}
