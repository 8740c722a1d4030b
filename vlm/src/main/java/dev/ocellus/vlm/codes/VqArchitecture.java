package dev.ocellus.vlm.codes;

import java.util.Optional;

/**
 * A VQ model.
 *
 * @param name of the family
 * @param images how an image becomes pixels, and pixels an image
 * @param graph what is computed
 * @param prior what predicts codes, if the file has it
 * @param head what lets a text model write codes, if the file has it
 */
public record VqArchitecture(
    String name,
    PixelRange images,
    VqGraph graph,
    Optional<CodePrior> prior,
    Optional<CodeHead> head) {}
