package dev.ocellus.vlm.fusion;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;

/** The two ways in which a model compares an image with a text. */
public interface MatchHeads {
  /**
   * Two logits of each text, of no match and of a match, [2, batch]: the texts attend to the image.
   *
   * @param ids [n · batch] ids of texts of n tokens, one text after the other
   * @param image [image width, rows, 1] its states
   */
  Tensor match(ModelGraph graph, Tensor ids, int n, Tensor image);

  /**
   * The vectors of texts by themselves, of any length, [dimension, batch].
   *
   * @param ids of texts of n tokens ({@link TextFormat#alone})
   */
  Tensor textVectors(ModelGraph graph, Tensor ids, int n);

  /** The vector of an image, of any length, [dimension, 1], from its states. */
  Tensor imageVector(ModelGraph graph, Tensor image);

  /** Ids are from 0 to this number minus 1. */
  int nTokens();
}
