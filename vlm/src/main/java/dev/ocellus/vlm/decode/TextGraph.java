package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;

/**
 * What all text models as graphs have, whichever of {@link GraphDecoder}, {@link CrossTextDecoder}
 * and {@link EncoderDecoder} runs them. Sizes are in ggml order, innermost first.
 */
public interface TextGraph {
  /** Tokens that it writes. */
  int nVocab();

  /** Floats of an embedding. */
  int width();

  /** Tokens of context that the model was trained with. */
  int nCtxTrain();

  /** Most positions that it can compute; learned ones end, others do not. */
  default int maxPositions() {
    return Integer.MAX_VALUE;
  }

  /** Layers that attend to the text that is written. */
  int nLayers();

  /** Width of a head. */
  int headWidth();

  /** One line for people. */
  String description();

  /** From [n] token ids to [width, n]. */
  Tensor embed(Tensor ids);

  /** From [width, n] to [nVocab, n]. */
  Tensor logits(Tensor hidden);
}
