package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;

/**
 * A text model whose layers also attend to the states of an encoder, of an image or of a text.
 * Their keys and values are computed once ({@link CrossStates}); what is left is a {@link
 * DecoderGraph} like any other. Sizes are in ggml order, innermost first.
 */
public interface CrossDecoderGraph {
  int nLayers();

  /** Width of a head. */
  int headWidth();

  /** Heads of the states' keys and values. */
  int nHeadKv();

  /** Width of the states. */
  int statesWidth();

  /**
   * Adds keys and values of states to a graph.
   *
   * @param states [statesWidth, n]
   * @param layer whose keys and values
   * @param cache that takes them
   * @param places [n] the rows of it
   */
  KeysValues keysValues(Tensor states, int layer, KvCache.Layer cache, Tensor places);

  /**
   * The model whose rows attend to the first rows of a cache.
   *
   * @param n how many
   */
  DecoderGraph over(KvCache states, int n);
}
