package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import java.util.List;

/**
 * What a {@link VisionLanguageEmbedder} makes one vector of.
 *
 * @param text may be empty
 * @param visuals images and videos, in front of the text; may be none
 * @param instruction what the vector is for, in a sentence; empty for the usual one
 */
public record EmbeddingInput(String text, List<Visual> visuals, String instruction) {
  public EmbeddingInput {
    visuals = List.copyOf(visuals);
  }

  /** A text. */
  public static EmbeddingInput of(String text) {
    return new EmbeddingInput(text, List.of(), "");
  }

  /** An image. */
  public static EmbeddingInput of(RgbImage image) {
    return new EmbeddingInput("", List.of(image), "");
  }

  /** An image and a text together. */
  public static EmbeddingInput of(RgbImage image, String text) {
    return new EmbeddingInput(text, List.of(image), "");
  }

  /** The same for another purpose. */
  public EmbeddingInput withInstruction(String value) {
    return new EmbeddingInput(text, visuals, value);
  }
}
