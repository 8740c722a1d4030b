package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import org.jspecify.annotations.Nullable;

/**
 * A text model some of whose layers attend to the states of images, which are no rows of its text:
 * an image is one token there. {@link CrossTextSequence} keeps keys and values. Sizes are in ggml
 * order, innermost first.
 */
public interface CrossTextGraph extends TextGraph {
  /** Tokens that it reads. */
  int nTokens();

  /** Tokens that it writes, the first of those. */
  @Override
  int nVocab();

  /** Layers that attend to images. */
  int nCrossLayers();

  /** Heads of keys and values. */
  int nHeadKv();

  /** The token that stands for an image. */
  int imageToken();

  /** Tiles of an image, with those that it does not have. */
  int nTiles();

  /** States of a tile. */
  int nStates();

  /**
   * Adds keys and values of states to a graph.
   *
   * @param states [width, n]
   * @param cache takes them, one layer for each that attends to images
   * @param places [n] rows of it
   */
  void remember(Tensor states, KvCache cache, Tensor places);

  /**
   * What rows attend to of images.
   *
   * @param cache keys and values of their states
   * @param mask for all its rows
   * @param attends [1, n] 1 for rows that attend to an image, 0 for those in front of the first
   */
  record Images(KvCache cache, AttentionMask mask, Tensor attends) {}

  /**
   * All layers and the last norm, from [width, n] to the same.
   *
   * @param cache of the layers that attend to the text
   * @param images null where there are none: then layers that attend to them are left out
   */
  Tensor forward(
      ModelGraph graph,
      Tensor x,
      KvCache cache,
      Tensor places,
      AttentionMask mask,
      @Nullable Images images);

  /** Sets the inputs that {@link #forward} has added. */
  void setPositions(GraphRun run, int[] positions);
}
