package dev.ocellus.vlm.fusion;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/** The encoder of images, to whose states texts attend. */
public interface ImageStates {
  /**
   * An image as the graph takes it: one tile.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  Tiles prepare(RgbImage image);

  /** From one tile to its states, [width, n, 1]; the CLS token's comes first. */
  Tensor forward(EncoderGraph graph);

  /** Floats of a state. */
  int width();
}
