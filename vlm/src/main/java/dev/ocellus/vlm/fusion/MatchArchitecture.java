package dev.ocellus.vlm.fusion;

/**
 * A model that says whether an image and a text belong together, whose weights are bound.
 *
 * @param name of the family
 * @param images the encoder of images
 * @param heads what compares them
 * @param texts its tokens
 */
public record MatchArchitecture(
    String name, ImageStates images, MatchHeads heads, TextFormat texts) {}
