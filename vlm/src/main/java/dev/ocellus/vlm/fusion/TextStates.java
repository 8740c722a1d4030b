package dev.ocellus.vlm.fusion;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;

/** The encoder of texts that attend to an image. */
public interface TextStates {
  /**
   * From a text and an image to the states of the text, [width, n, 1].
   *
   * @param ids [n] ids of one text
   * @param image [image width, rows, 1] states of the image
   */
  Tensor forward(ModelGraph graph, Tensor ids, Tensor image);

  /** Floats of a state. */
  int width();

  /** Ids are from 0 to this number minus 1. */
  int nTokens();
}
