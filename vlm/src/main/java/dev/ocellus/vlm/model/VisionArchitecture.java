package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.RgbImage;

/**
 * A vision encoder with its projector: how a picture becomes rows that a text model decodes.
 *
 * <p>An instance is made from a file's metadata and weights, and is immutable afterwards.
 */
public interface VisionArchitecture {
  /** Short name for people, such as {@code llava}. */
  String name();

  /** Floats of one row, which must be the text model's embedding width. */
  int width();

  /** What chat templates write where a picture stands. */
  String imageMarker();

  /** The chat template to use when the text model's file has none. */
  String defaultChatTemplate();

  /**
   * Resizes, crops, tiles and normalizes a picture as the reference's processor does.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the picture breaks a rule of this
   *     architecture
   */
  ImageInput prepare(RgbImage image);

  /**
   * Adds the encoder and projector to the graph of the pixels.
   *
   * @param pixels [width, height, 3, n], n tiles of one shape
   * @return [{@link #width()}, rows per tile, n]
   */
  Tensor forward(Tensor pixels);

  /** Most nodes of the graph that {@link #forward} builds. */
  int maxNodes();
}
