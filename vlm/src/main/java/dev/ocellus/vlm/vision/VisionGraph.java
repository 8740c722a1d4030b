package dev.ocellus.vlm.vision;

import dev.ocellus.ggml.Tensor;

/** What a family computes: image encoder and projector, from tiles to image embeddings. */
public interface VisionGraph {
  /** Floats of an image embedding, which must be the embedding width of the text model. */
  int width();

  /**
   * Floats of a state of the image, where layers of the text model attend to states and an
   * embedding holds all of an image one after the other; otherwise {@link #width()}.
   */
  default int stateWidth() {
    return width();
  }

  /**
   * Adds the encoder and projector to a graph.
   *
   * @return [{@link #width()}, embeddings per tile, tiles]
   */
  Tensor forward(EncoderGraph graph);

  /**
   * Brings the embeddings of all tiles into the order in which the text model decodes them. Most
   * families leave them as they are; some cut padding away or put separators between lines.
   *
   * @param embeddings what {@link #forward} gave for the image's tiles, one after the other
   * @return as many as the image's layout has
   */
  default float[] arrange(ImageInput image, float[] embeddings) {
    return embeddings;
  }
}
