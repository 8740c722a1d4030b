package dev.ocellus.vlm.fusion;

import dev.ocellus.vlm.decode.CrossDecoderGraph;

/**
 * A model that captions images, whose weights are bound.
 *
 * @param name of the family
 * @param images the encoder of images
 * @param decoder writes, and attends to the states of the image
 * @param texts its tokens
 */
public record CaptionArchitecture(
    String name, ImageStates images, CrossDecoderGraph decoder, TextFormat texts) {}
