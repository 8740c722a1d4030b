package dev.ocellus.vlm.codes;

/**
 * A VQ model.
 *
 * @param name of the family
 * @param images how an image becomes pixels, and pixels an image
 * @param graph what is computed
 */
public record VqArchitecture(String name, PixelRange images, VqGraph graph) {}
