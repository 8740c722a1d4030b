package dev.ocellus.vlm.fusion;

import dev.ocellus.vlm.decode.CrossDecoderGraph;

/**
 * A model that answers questions about images, whose weights are bound.
 *
 * @param name of the family
 * @param images the encoder of images
 * @param questions the encoder of questions, which attend to the image
 * @param decoder writes, and attends to the states of the question
 * @param texts tokens of questions and answers
 */
public record QuestionArchitecture(
    String name,
    ImageStates images,
    TextStates questions,
    CrossDecoderGraph decoder,
    TextFormat texts) {}
