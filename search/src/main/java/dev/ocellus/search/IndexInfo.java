package dev.ocellus.search;

/**
 * What an index holds.
 *
 * @param identity of the model ({@link dev.ocellus.vlm.embedding.Embedder#identity})
 * @param source where the model came from, as whoever made the index named it
 * @param dimension numbers of a vector
 * @param nImages images that can be found
 * @param nUnreadable files that are known to be no image, or broken
 */
public record IndexInfo(
    String identity, String source, int dimension, int nImages, int nUnreadable) {}
