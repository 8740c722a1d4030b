package dev.ocellus.vlm.fusion;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;

/** The two ways in which a model compares an image with a text. */
public interface MatchHeads {
  /**
   * Two logits, of no match and of a match, [2, 1]: the text attends to the image.
   *
   * @param ids [n] ids of one text
   * @param image [image width, rows, 1] its states
   */
  Tensor match(ModelGraph graph, Tensor ids, Tensor image);

  /** The vector of a text by itself, of any length, [dimension, 1]. */
  Tensor textVector(ModelGraph graph, Tensor ids);

  /** The vector of an image, of any length, [dimension, 1], from its states. */
  Tensor imageVector(Tensor image);

  /** Ids are from 0 to this number minus 1. */
  int nTokens();
}
