package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import java.util.List;

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

  /** Rows that each layer attends to of so many states. */
  default int nRemembered(int nStates) {
    return nStates;
  }

  /**
   * Adds what all layers attend to of states to a graph.
   *
   * @param states [statesWidth, n]
   * @param cache takes the keys and values of each layer
   * @param places the rows of it, as many as {@link #nRemembered}
   * @return those that were written
   */
  List<KeysValues> remember(ModelGraph graph, Tensor states, KvCache cache, Tensor places);

  /**
   * The model whose rows attend to the first rows of a cache.
   *
   * @param n how many
   */
  DecoderGraph over(KvCache states, int n);
}
