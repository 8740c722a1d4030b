package dev.ocellus.vlm.dual;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/** The encoder of images: preprocessing, tower, pooling and projection. */
public interface ImageEmbedder {
  /**
   * An image as the graph takes it: one tile.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  Tiles prepare(RgbImage image);

  /** From n tiles of one shape to their vectors, of any length, [dimension, n]. */
  Tensor forward(EncoderGraph graph);
}
