package dev.ocellus.vlm.dual;

/**
 * A dual encoder whose weights are bound.
 *
 * @param name of the family
 * @param dimension of the vectors of both
 * @param images the encoder of images
 * @param texts the encoder of texts
 * @param similarity how their vectors are compared
 */
public record DualArchitecture(
    String name, int dimension, ImageEmbedder images, TextEmbedder texts, Similarity similarity) {}
